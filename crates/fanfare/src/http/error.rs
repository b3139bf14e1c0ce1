//! What keeps a request from its answer, and answers that refuse.
use crate::exit::Exit;
use fanfare_client::transport::HyperError;
use hyper::StatusCode;
use serde::Deserialize;
use std::{error::Error, fmt};

/// There is no answer, or not a whole one.
#[derive(Debug)]
pub(crate) enum Unreachable {
    /// The token holds characters that no header can carry.
    TokenCharacters,
    /// The server cannot be reached, or closed the connection before it answered.
    NoAnswer { host: String, error: HyperError },
    /// The server did not answer in time.
    Timeout { host: String },
    /// The answer broke off.
    BrokenAnswer(Box<dyn Error + Send + Sync>),
}

/// An answer that is not what was asked for: its status, and what it says about the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The status of the answer.
    pub status: StatusCode,
    /// The reason given, if one was.
    pub reason: String,
}

/// The part of a problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) that is for people.
#[derive(Deserialize)]
struct Problem {
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
}

/// How much of a reason is shown that is no problem document: such a page may be long.
const MAX_REASON_CHARACTERS: usize = 300;

impl Unreachable {
    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::BrokenAnswer(_) => Exit::Failed,
            Self::TokenCharacters => Exit::Usage,
            Self::NoAnswer { .. } | Self::Timeout { .. } => Exit::Unreachable,
        }
    }
}

impl Refusal {
    /// Reads the reason out of a problem document, or takes the beginning of the text.
    pub(crate) fn new(status: StatusCode, body: &str) -> Self {
        let reason = match serde_json::from_str::<Problem>(body) {
            Ok(Problem { title, detail }) if detail.is_empty() => title,
            Ok(Problem { detail, .. }) => detail,
            Err(_) => body.trim().chars().take(MAX_REASON_CHARACTERS).collect(),
        };
        Self { status, reason }
    }

    /// Whether it may be better later, although nothing is changed.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            || self.status.is_server_error()
    }

    /// Whether it is about what was sent, rather than about who sent it or where.
    pub(crate) fn is_of_content(&self) -> bool {
        matches!(
            self.status,
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
        )
    }

    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::Unauthorized,
            status if status.is_server_error() => Exit::Unreachable,
            _ => Exit::Rejected,
        }
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TokenCharacters => f.write_str("the token holds characters that no token has"),
            Self::NoAnswer { host, error } => write!(f, "cannot reach {host}: {}", innermost(error.cause())),
            Self::Timeout { host } => write!(f, "{host} does not answer in time"),
            Self::BrokenAnswer(error) => write!(f, "the answer broke off: {}", innermost(&**error)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the hub answers {}", self.status)?;
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason)?;
        }
        if self.status == StatusCode::UNAUTHORIZED {
            f.write_str("\nGive a token with --token or FANFARE_TOKEN; `fanfare token` makes one")?;
        }
        Ok(())
    }
}

/// The last cause of an error is the one that a person can do something about: "Connection refused".
fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a dyn Error {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_read_from_a_problem_document() {
        let cases = [
            (r#"{"title":"Bad Request","status":400,"detail":"no topic"}"#, "no topic"),
            (r#"{"title":"Bad Request","status":400}"#, "Bad Request"),
            ("nope\n", "nope"),
            ("", ""),
        ];
        for (body, reason) in cases {
            assert_eq!(Refusal::new(StatusCode::BAD_REQUEST, body).reason, reason, "{body}");
        }
        let page = "x".repeat(10_000);
        assert_eq!(Refusal::new(StatusCode::BAD_GATEWAY, &page).reason.len(), MAX_REASON_CHARACTERS);
    }

    #[test]
    fn a_refusal_has_its_exit_code() {
        let cases =
            [(401, Exit::Unauthorized), (403, Exit::Unauthorized), (400, Exit::Rejected), (503, Exit::Unreachable)];
        for (status, exit) in cases {
            assert_eq!(Refusal::new(StatusCode::from_u16(status).unwrap(), "").exit(), exit);
        }
    }
}
