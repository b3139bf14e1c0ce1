//! Why a connection ended, and why an event source did.
use crate::{EncodingError, Text};
use fanfare_event_stream::ParseError;
use http::{HeaderValue, StatusCode, response::Parts};
use std::{fmt, sync::Arc, time::Duration};

/// The error of a transport, a hook or a store.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why one connection ended, or did not come about. Not an error by itself: the event source may reconnect.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The server ended the response.
    EndOfStream,
    /// The server could not be reached, or the connection broke.
    Transport(Arc<dyn std::error::Error + Send + Sync>),
    /// The response has a status that asks to try again later.
    Status(StatusCode),
    /// There was no response within the time for it.
    ConnectTimeout(Duration),
    /// Nothing came, not even a comment, for the time allowed.
    IdleTimeout(Duration),
    /// The hook for attempts could not prepare this one.
    Hook(Arc<dyn std::error::Error + Send + Sync>),
    /// The hook for responses asked to try again.
    Verdict(StatusCode),
    /// The program asked for a new connection.
    Requested,
}

/// Why an event source ended. Nothing comes after it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The server refused: the status is neither 200 nor one that is tried again.
    Status {
        /// The response's head.
        parts: Box<Parts>,
        /// The beginning of its body, up to [`EXCERPT_BYTES`], with U+FFFD for what is not UTF-8.
        excerpt: String,
    },
    /// The response is no event stream.
    ContentType {
        /// What it is instead, if it says so.
        content_type: Option<HeaderValue>,
    },
    /// The response has a `Content-Encoding` that is not known, or too many.
    Encoding(EncodingError),
    /// A redirect could not be followed.
    Redirect(RedirectError),
    /// The stream holds something larger than the limits allow.
    Parse(ParseError),
    /// There is no connection, and the policy is not to try (again), or not any more.
    GaveUp {
        /// How many attempts in a row brought no event.
        attempts: u32,
        /// Why the last of them ended.
        cause: Cause,
    },
    /// The connection broke, and the request is not one to be sent twice.
    NotRepeated {
        /// Why the connection ended.
        cause: Cause,
    },
    /// The events ended before the one that [`Events::until`](crate::Events::until) waits for.
    Unfinished {
        /// The data that this event would have had.
        marker: Text,
    },
    /// A hook said so.
    Hook(BoxError),
    /// The store for the last event ID failed.
    Store(BoxError),
}

/// How much of a refusing response's body an error keeps.
pub const EXCERPT_BYTES: usize = 4 << 10;

/// Why a redirect was not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectError {
    /// One redirect led to the next too often.
    TooMany {
        /// How many are followed.
        limit: u8,
    },
    /// There is no `Location`.
    NoLocation,
    /// The `Location` is no URL that could be asked.
    Location(HeaderValue),
}

impl Error {
    /// The status of a response that refused, if that is what ended the event source.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { parts, .. } => Some(parts.status),
            Self::GaveUp { cause: Cause::Status(status) | Cause::Verdict(status), .. } => Some(*status),
            _ => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndOfStream => f.write_str("the server ended the stream"),
            Self::Transport(error) | Self::Hook(error) => write_chain(error.as_ref(), f),
            Self::Status(status) | Self::Verdict(status) => write!(f, "the server answered {status}"),
            Self::ConnectTimeout(time) => write!(f, "no response came within {time:?}"),
            Self::IdleTimeout(time) => write!(f, "nothing came for {time:?}"),
            Self::Requested => f.write_str("a new connection was asked for"),
        }
    }
}

/// An error and what lies behind it: those of HTTP clients say little by themselves.
fn write_chain(error: &(dyn std::error::Error + 'static), f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{error}")?;
    let mut source = error.source();
    while let Some(error) = source {
        write!(f, ": {error}")?;
        source = error.source();
    }
    Ok(())
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { parts, .. } => write!(f, "the server answered {}", parts.status),
            Self::ContentType { content_type: Some(value) } => write!(
                f,
                "the response is no event stream (text/event-stream), but {}",
                String::from_utf8_lossy(value.as_bytes())
            ),
            Self::ContentType { content_type: None } => {
                f.write_str("the response is no event stream: it has no content type")
            }
            Self::Encoding(error) => error.fmt(f),
            Self::Redirect(error) => error.fmt(f),
            Self::Parse(error) => error.fmt(f),
            Self::GaveUp { attempts: 0 | 1, cause } => cause.fmt(f),
            Self::GaveUp { attempts, cause } => write!(f, "{cause}, after {attempts} attempts"),
            Self::NotRepeated { cause } => write!(f, "{cause}; the request is not sent a second time"),
            Self::Unfinished { marker } => write!(f, "the events ended before {marker:?} came"),
            Self::Hook(error) => write_chain(error.as_ref(), f),
            Self::Store(error) => {
                f.write_str("the last event ID could not be kept: ")?;
                write_chain(error.as_ref(), f)
            }
        }
    }
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { limit } => write!(f, "the server redirects more than {limit} times"),
            Self::NoLocation => f.write_str("the server redirects without saying where"),
            Self::Location(location) => {
                write!(f, "the server redirects to {:?}", String::from_utf8_lossy(location.as_bytes()))
            }
        }
    }
}

impl std::error::Error for RedirectError {}

impl std::error::Error for Error {
    // What lies behind is part of the message.
}
