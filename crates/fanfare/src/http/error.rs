//! The obstacles between a request and its answer, and answers that refuse.
use super::{Party, diagnosis};
use crate::exit::Exit;
use fanfare_client::transport::{HyperError, Via};
use fanfare_mask::masked;
use http::{StatusCode, header::LOCATION, response::Parts};
use serde::Deserialize;
use std::{error::Error, fmt};

/// There is no answer, or not a whole one.
#[derive(Debug)]
pub(crate) enum Unreachable {
    /// The token holds characters that no header can carry.
    TokenCharacters,
    /// The server cannot be reached, or closed the connection before it answered.
    NoAnswer { party: Party, error: Box<HyperError> },
    /// The server did not answer in time.
    Timeout { party: Party },
    /// The answer broke off.
    BrokenAnswer { party: Party, error: Box<dyn Error + Send + Sync> },
}

/// An answer that is not what was asked for: whose it is, its status, and what it says about the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The party that refuses.
    pub party: Party,
    /// The status of the answer.
    pub status: StatusCode,
    /// The reason given, if one was.
    pub reason: String,
    /// The address to which it redirects, if it does.
    location: Option<Box<str>>,
    /// The proxy through which the answer came, or whose it is.
    proxy: Option<Box<str>>,
}

/// The part of a problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) that is for people.
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

/// The most characters that are shown of a reason that is not a problem document: such a page may be long.
const MAX_REASON_CHARACTERS: usize = 300;

impl Unreachable {
    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::BrokenAnswer { .. } => Exit::Failed,
            Self::TokenCharacters => Exit::Usage,
            Self::NoAnswer { .. } | Self::Timeout { .. } => Exit::Unreachable,
        }
    }
}

impl Refusal {
    /// An answer of `party` with this head and body: the reason is read out of a problem document, or else it is the
    /// beginning of the text.
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

    /// True if it may be better later, although nothing is changed.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            || self.status.is_server_error()
    }

    /// True if it is about what was sent, rather than about who sent it or where.
    pub(crate) fn is_of_content(&self) -> bool {
        matches!(
            self.status,
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
        )
    }

    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        exit(self.status)
    }
}

/// Returns what a refusal says to people.
pub(crate) fn reason(body: &str) -> String {
    match serde_json::from_str::<Problem>(body) {
        Ok(Problem { detail, .. }) if !detail.is_empty() => excerpt(&detail),
        Ok(Problem { title, .. }) if !title.is_empty() => excerpt(&title),
        _ => excerpt(body),
    }
}

/// The exit code that tells an answer of this status.
pub(crate) fn exit(status: StatusCode) -> Exit {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::Unauthorized,
        status if status.is_server_error() => Exit::Unreachable,
        _ => Exit::Rejected,
    }
}

/// The beginning of a text of somebody else's, safe to be shown on a terminal.
pub(crate) fn excerpt(text: &str) -> String {
    // A secret that was cut may not be known for one.
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
            Self::TokenCharacters => f.write_str("the token holds characters that no token has"),
            Self::NoAnswer { party, error } => f.write_str(&diagnosis::no_answer(party, &**error)),
            Self::Timeout { party } => write!(f, "{} does not answer in time", party.place()),
            Self::BrokenAnswer { party, error } => f.write_str(&diagnosis::broken(party, &**error)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { party, status, reason, location, proxy } = self;
        // Only a proxy answers so, whoever was asked.
        let is_of_proxy = *status == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        match proxy {
            Some(proxy) if is_of_proxy => write!(f, "the proxy {proxy} answers {status}")?,
            None if is_of_proxy => write!(f, "the proxy on the way to {} answers {status}", party.place())?,
            Some(proxy) => write!(f, "{party} answers {status}, through the proxy {proxy}")?,
            None => write!(f, "{party} answers {status}")?,
        }
        if let Some(location) = location {
            write!(f, ", which leads to {}", excerpt(location))?;
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
        let hub = Party::Hub { host: "h:1".into() };
        let cases = [
            (&hub, 404, "the hub answers 404 Not Found: r"),
            (&Party::Server { url: url.clone() }, 404, "http://a.example/x answers 404 Not Found: r"),
            (
                &Party::Upstream { url },
                401,
                "http://a.example/x answers 401 Unauthorized: r\nGive it what it wants with -H",
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
        assert_eq!(refusal.to_string(), "the hub answers 302 Found, which leads to /there");
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
