//! The reasons why a connection ends, and the reasons why an event source ends.
use crate::{
    EncodingError, Text,
    masked::{MaskedHeaders, mask_text},
};
use fanfare_event_stream::ParseError;
use http::{HeaderValue, StatusCode, response::Parts};
use std::{fmt, sync::Arc, time::Duration};

/// The error of a transport, a hook or a store.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The reason why one connection ended, or could not be made. It is not an error yet: the event source may reconnect.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The server ended the response.
    EndOfStream,
    /// There was no response: the server could not be reached, or the connection ended before a response came. With the
    /// default transport the value is a [`HyperError`](crate::transport::HyperError), which tells more.
    Transport(Arc<dyn std::error::Error + Send + Sync>),
    /// The response broke off after it had begun.
    Broken(Arc<dyn std::error::Error + Send + Sync>),
    /// The response has a status after which the policy makes another attempt.
    Status(Arc<Refused>),
    /// No connection was made within this time.
    ConnectTimeout(Duration),
    /// No head of a response came within this time.
    ResponseTimeout(Duration),
    /// Nothing came within this time, not even a comment.
    IdleTimeout(Duration),
    /// The hook for attempts returned an error.
    Hook(Arc<dyn std::error::Error + Send + Sync>),
    /// The hook for responses asked for another attempt.
    Verdict(Arc<Refused>),
    /// The program asked for a new connection.
    Requested,
}

/// A response that does not count as an event stream.
#[derive(Clone)]
#[non_exhaustive]
pub struct Refused {
    /// The head of the response.
    pub parts: Parts,
    /// The beginning of the body, up to [`EXCERPT_BYTES`]. Bytes that are not UTF-8 are replaced by U+FFFD.
    pub excerpt: String,
}

/// The error that ended an event source. It is the last item of the stream.
#[non_exhaustive]
pub enum Error {
    /// The server refused the request: the status is not 200, and the policy allows no other attempt after this status.
    Status {
        /// The head of the response.
        parts: Box<Parts>,
        /// The beginning of the body, up to [`EXCERPT_BYTES`]. Bytes that are not UTF-8 are replaced by U+FFFD.
        excerpt: String,
    },
    /// The content type of the response is not `text/event-stream`.
    ContentType {
        /// The content type of the response, if it has one.
        content_type: Option<HeaderValue>,
        /// The head of the response.
        parts: Box<Parts>,
        /// The beginning of the body, as in [`Status`](Self::Status).
        excerpt: String,
    },
    /// The response has a `Content-Encoding` that this client cannot decode.
    Encoding(EncodingError),
    /// A redirect could not be followed.
    Redirect(RedirectError),
    /// The stream contains an event or a line that is larger than the limits allow.
    Parse(ParseError),
    /// The last attempt failed, and the policy allows no further attempt.
    GaveUp {
        /// The number of failed attempts in a row; 0 if the last attempt did not fail, but the policy never makes
        /// another.
        attempts: u32,
        /// The reason why the last attempt ended.
        cause: Cause,
    },
    /// The connection broke or could not be made, and the request must not be sent twice.
    NotRepeated {
        /// The reason why the connection ended.
        cause: Cause,
    },
    /// The stream ended before the event that [`Events::until`](crate::Events::until) waits for.
    Unfinished {
        /// The data of the event that was expected.
        marker: Text,
    },
    /// The server answered 204: it has no events. Only [`EventSource::open`](crate::EventSource::open) returns this
    /// error; the stream itself just ends.
    NoContent,
    /// The event source had already ended: with an error that the program got before, or with the end of the response
    /// to a request that is not sent again. Only [`EventSource::open`](crate::EventSource::open) returns this error.
    Ended,
    /// The program closed the event source. Only [`EventSource::open`](crate::EventSource::open) returns this error.
    Closed,
    /// A hook ended the event source with this error.
    Hook(BoxError),
    /// The store for the last event ID failed.
    Store(BoxError),
}

/// The greatest number of bytes of the body that an error keeps if a response is not an event stream.
pub const EXCERPT_BYTES: usize = 4 << 10;

/// The reason why a redirect was not followed.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RedirectError {
    /// There were too many redirects, one after the other.
    TooMany {
        /// The number of redirects that one attempt follows.
        limit: u8,
    },
    /// The response has no `Location` header.
    NoLocation,
    /// The `Location` header is not a URL that a request can be sent to.
    Location(HeaderValue),
}

impl Error {
    /// Returns the status of the response that ended the event source, if it ended because of a response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Status { parts, .. } | Self::ContentType { parts, .. } => Some(parts.status),
            Self::GaveUp { cause, .. } | Self::NotRepeated { cause } => cause.status(),
            _ => None,
        }
    }

    /// Returns the beginning of the body of the response that ended the event source, if it ended because of a
    /// response.
    #[must_use]
    pub fn excerpt(&self) -> Option<&str> {
        match self {
            Self::Status { excerpt, .. } | Self::ContentType { excerpt, .. } => Some(excerpt),
            Self::GaveUp { cause, .. } | Self::NotRepeated { cause } => Some(&cause.refused()?.excerpt),
            _ => None,
        }
    }
}

impl Cause {
    /// Returns the response, if the cause is a response that is not an event stream.
    #[must_use]
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Status(refused) | Self::Verdict(refused) => Some(refused),
            _ => None,
        }
    }

    /// Returns the status of the response, if the cause is a response that is not an event stream.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        Some(self.refused()?.parts.status)
    }
}

/// The part of a message that says who answered, the server or a proxy, and with which status.
struct Answered<'a>(&'a Parts);

impl fmt::Display for Answered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.0.status;
        #[cfg(feature = "hyper")]
        if let Some(crate::transport::Via(proxy)) = self.0.extensions.get() {
            return match status {
                StatusCode::PROXY_AUTHENTICATION_REQUIRED => write!(f, "the proxy {proxy} answered {status}"),
                _ => write!(f, "the server answered {status}, through the proxy {proxy}"),
            };
        }
        write!(f, "the server answered {status}")
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EndOfStream => f.write_str("the server ended the stream"),
            Self::Transport(error) | Self::Hook(error) => write_chain(error.as_ref(), f),
            Self::Broken(error) => {
                f.write_str("the stream failed: ")?;
                write_chain(error.as_ref(), f)
            }
            Self::Status(refused) | Self::Verdict(refused) => Answered(&refused.parts).fmt(f),
            Self::ConnectTimeout(time) => write!(f, "cannot connect within {time:?}"),
            Self::ResponseTimeout(time) => write!(f, "no response came within {time:?}"),
            Self::IdleTimeout(time) => write!(f, "the server sent nothing for {time:?}"),
            Self::Requested => f.write_str("the program asked for a new connection"),
        }
    }
}

/// Writes an error and all its sources, because the error of an HTTP client says little without its sources.
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
            Self::Status { parts, .. } => Answered(parts).fmt(f),
            Self::ContentType { content_type: Some(value), .. } => write!(
                f,
                "the response is not an event stream (text/event-stream), but {}",
                mask_text(&String::from_utf8_lossy(value.as_bytes()))
            ),
            Self::ContentType { content_type: None, .. } => {
                f.write_str("the response is not an event stream: it has no content type")
            }
            Self::Encoding(error) => error.fmt(f),
            Self::Redirect(error) => error.fmt(f),
            Self::Parse(error) => error.fmt(f),
            Self::GaveUp { attempts: 0 | 1, cause } => cause.fmt(f),
            Self::GaveUp { attempts, cause } => {
                write!(f, "{cause}; the event source gave up after {attempts} attempts")
            }
            Self::NotRepeated { cause } => write!(f, "{cause}; the request is not sent a second time"),
            Self::Unfinished { marker } => write!(f, "the events ended before {marker:?} came"),
            Self::NoContent => f.write_str("the server answered 204 No Content: it has no events"),
            Self::Ended => f.write_str("the event source has ended"),
            Self::Closed => f.write_str("the event source was closed"),
            Self::Hook(error) => write_chain(error.as_ref(), f),
            Self::Store(error) => {
                f.write_str("the store of the last event ID failed: ")?;
                write_chain(error.as_ref(), f)
            }
        }
    }
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { limit } => write!(f, "the server redirects more than {limit} times"),
            Self::NoLocation => f.write_str("the server redirects without a Location header"),
            Self::Location(location) => {
                let location = mask_text(&String::from_utf8_lossy(location.as_bytes()));
                write!(f, "the server redirects to {location:?}, which is not an http or https URL")
            }
        }
    }
}

impl std::error::Error for RedirectError {}

impl std::error::Error for Error {
    // This error has no `source`, because its text contains the sources already.
}

/// Writes the head of a response without the values that may be secret.
fn debug_parts(name: &str, parts: &Parts, excerpt: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_struct(name)
        .field("status", &parts.status)
        .field("headers", &MaskedHeaders(&parts.headers))
        .field("excerpt", &excerpt)
        .finish_non_exhaustive()
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { parts, excerpt } => debug_parts("Status", parts, excerpt, f),
            Self::ContentType { parts, excerpt, .. } => debug_parts("ContentType", parts, excerpt, f),
            Self::Encoding(error) => f.debug_tuple("Encoding").field(error).finish(),
            Self::Redirect(error) => f.debug_tuple("Redirect").field(error).finish(),
            Self::Parse(error) => f.debug_tuple("Parse").field(error).finish(),
            Self::GaveUp { attempts, cause } => {
                f.debug_struct("GaveUp").field("attempts", attempts).field("cause", cause).finish()
            }
            Self::NotRepeated { cause } => f.debug_struct("NotRepeated").field("cause", cause).finish(),
            Self::Unfinished { marker } => f.debug_struct("Unfinished").field("marker", marker).finish(),
            Self::NoContent => f.write_str("NoContent"),
            Self::Ended => f.write_str("Ended"),
            Self::Closed => f.write_str("Closed"),
            Self::Hook(error) => f.debug_tuple("Hook").field(error).finish(),
            Self::Store(error) => f.debug_tuple("Store").field(error).finish(),
        }
    }
}

impl fmt::Debug for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany { limit } => f.debug_struct("TooMany").field("limit", limit).finish(),
            Self::NoLocation => f.write_str("NoLocation"),
            Self::Location(location) => {
                let location = mask_text(&String::from_utf8_lossy(location.as_bytes()));
                f.debug_tuple("Location").field(&location).finish()
            }
        }
    }
}

// The head of a response may contain cookies and tokens.
impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_parts("Refused", &self.parts, &self.excerpt, f)
    }
}
