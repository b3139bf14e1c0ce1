//! Errors of a request: no answer, an incomplete answer, or an answer that refuses the request.
use super::{Party, diagnosis};
use crate::exit::Exit;
use fanfare_client::transport::{HyperError, Via};
use fanfare_mask::masked;
use http::{StatusCode, header::LOCATION, response::Parts};
use serde::Deserialize;
use std::{error::Error, fmt};

/// The reason why a request got no answer, or only a part of one.
#[derive(Debug)]
pub(crate) enum Unreachable {
    /// The token contains characters that no header can carry.
    TokenCharacters,
    /// The server cannot be reached, or closed the connection before it answered.
    NoAnswer { party: Party, error: Box<HyperError> },
    /// The server did not answer in time.
    Timeout { party: Party },
    /// The answer stopped before its end.
    BrokenAnswer { party: Party, error: Box<dyn Error + Send + Sync> },
}

/// An answer that refuses a request: the party that sent it, its status, and the reason that it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The party that refused the request.
    pub party: Party,
    /// The status of the answer.
    pub status: StatusCode,
    /// The reason that the answer gives; empty if it gives none.
    pub reason: String,
    /// The address to which the answer redirects; `None` if its status is not that of a redirect.
    location: Option<Box<str>>,
    /// The proxy that the answer came through, or that sent the answer itself; `None` without a proxy.
    proxy: Option<Box<str>>,
}

/// The texts for people in a problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

/// The greatest number of characters of a reason that are shown. Without this limit, a message could contain a long
/// page that a server sends instead of a problem document.
const MAX_REASON_CHARACTERS: usize = 300;

impl Unreachable {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::BrokenAnswer { .. } => Exit::Failed,
            Self::TokenCharacters => Exit::Usage,
            Self::NoAnswer { .. } | Self::Timeout { .. } => Exit::Unreachable,
        }
    }
}

impl Refusal {
    /// Makes a refusal from the head and the body of an answer of `party`. If the body is a problem document, the
    /// reason is read from it; otherwise the reason is the beginning of the body.
    pub(crate) fn new(party: &Party, head: &Parts, body: &str) -> Self {
        let location = head.headers.get(LOCATION).filter(|_| head.status.is_redirection());
        Self {
            party: party.clone(),
            status: head.status,
            reason: reason(body),
            location: location.map(|location| String::from_utf8_lossy(location.as_bytes()).into()),
            proxy: head.extensions.get().map(|Via(proxy)| proxy.to_string().into()),
        }
    }

    /// Returns true if the same request may succeed later.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            || self.status.is_server_error()
    }

    /// Returns true if the status says that the content of the request was refused, and not its sender or its URL.
    pub(crate) fn is_of_content(&self) -> bool {
        matches!(
            self.status,
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
        )
    }

    /// Returns the exit code for this refusal.
    pub(crate) fn exit(&self) -> Exit {
        exit(self.status)
    }
}

/// Returns the reason in `body`, the body of an answer that refuses a request.
pub(crate) fn reason(body: &str) -> String {
    match serde_json::from_str::<Problem>(body) {
        Ok(Problem { detail, .. }) if !detail.is_empty() => excerpt(&detail),
        Ok(Problem { title, .. }) if !title.is_empty() => excerpt(&title),
        _ => excerpt(body),
    }
}

/// Returns the exit code for an answer with this status.
pub(crate) fn exit(status: StatusCode) -> Exit {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::Unauthorized,
        status if status.is_server_error() => Exit::Unreachable,
        _ => Exit::Rejected,
    }
}

/// Returns the beginning of a text from another party. Secrets are masked, and control characters are escaped, so that
/// the text is safe for a terminal.
pub(crate) fn excerpt(text: &str) -> String {
    // Secrets are masked before the text is cut, because a part of a secret may not be recognised.
    let text = &*masked(text.trim());
    let shown: String = text.chars().take(MAX_REASON_CHARACTERS).collect();
    let cut = if shown.len() < text.len() { "…" } else { "" };
    let hidden = |character: char| character.is_control() && !matches!(character, '\t' | '\n');
    let escape = |character: char| match hidden(character) {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    format!("{}{cut}", shown.replace("\r\n", "\n").chars().map(escape).collect::<String>())
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenCharacters => f.write_str("the token contains characters that an HTTP header cannot contain"),
            Self::NoAnswer { party, error } => f.write_str(&diagnosis::no_answer(party, &**error)),
            Self::Timeout { party } => write!(f, "{} does not answer in time", party.place()),
            Self::BrokenAnswer { party, error } => f.write_str(&diagnosis::broken(party, &**error)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { party, status, reason, location, proxy } = self;
        // Only a proxy answers with the status 407, whichever party the request was sent to.
        let is_of_proxy = *status == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        match proxy {
            Some(proxy) if is_of_proxy => write!(f, "the proxy {proxy} answers {status}")?,
            None if is_of_proxy => write!(f, "the proxy on the way to {} answers {status}", party.place())?,
            Some(proxy) => write!(f, "{party} answers {status}, through the proxy {proxy}")?,
            None => write!(f, "{party} answers {status}")?,
        }
        if let Some(location) = location {
            write!(f, ", which redirects to {}", excerpt(location))?;
        }
        if !reason.is_empty() {
            write!(f, ": {reason}")?;
        }
        match (*status, party.advice()) {
            _ if is_of_proxy => {
                f.write_str("\nGive user and password in the proxy's URL: http_proxy=http://user:password@…")
            }
            (StatusCode::UNAUTHORIZED, Some(advice)) => write!(f, "\n{advice}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16) -> Parts {
        http::Response::builder().status(status).body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_reason_is_read_from_a_problem_document() {
        let cases = [
            (r#"{"title":"Bad Request","status":400,"detail":"no topic"}"#, "no topic"),
            (r#"{"title":"Bad Request","status":400}"#, "Bad Request"),
            ("nope\n", "nope"),
            ("", ""),
        ];
        for (body, said) in cases {
            assert_eq!(reason(body), said, "{body}");
        }
        assert_eq!(reason(&"x".repeat(10_000)).chars().count(), MAX_REASON_CHARACTERS + 1);
    }

    #[test]
    fn a_refusal_names_who_refuses() {
        let url = "http://a.example/x".to_owned();
        let hub = Party::hub(&http::Uri::from_static("http://h:1"));
        let cases = [
            (&hub, 404, "the hub answers 404 Not Found: r"),
            (&Party::Server { url: url.clone() }, 404, "http://a.example/x answers 404 Not Found: r"),
            (
                &Party::Upstream { url },
                401,
                "http://a.example/x answers 401 Unauthorized: r\nGive its credentials with -H",
            ),
            (&hub, 401, "the hub answers 401 Unauthorized: r\nGive a token"),
            (&hub, 407, "the proxy on the way to the hub at h:1 answers 407 Proxy Authentication Required: r"),
        ];
        for (party, status, said) in cases {
            let refusal = Refusal::new(party, &head(status), "r").to_string();
            assert!(refusal.starts_with(said), "{refusal}");
        }
        let mut moved = head(302);
        moved.headers.insert(LOCATION, "/there".parse().unwrap());
        let refusal = Refusal::new(&hub, &moved, "");
        assert_eq!(refusal.to_string(), "the hub answers 302 Found, which redirects to /there");
    }

    #[test]
    fn a_refusal_has_its_exit_code() {
        let cases =
            [(401, Exit::Unauthorized), (403, Exit::Unauthorized), (400, Exit::Rejected), (503, Exit::Unreachable)];
        for (status, exit) in cases {
            assert_eq!(super::exit(StatusCode::from_u16(status).unwrap()), exit);
        }
    }
}
