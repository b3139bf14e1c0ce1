//! Why there is no stream.
use crate::{
    exit::Exit,
    http::{Refusal, Unreachable},
};
use fanfare_event_stream::ParseError;
use std::{fmt, io};

#[derive(Debug)]
pub(crate) enum SubscribeError {
    /// A URL stands among several topics.
    UrlAmongTopics { url: String },
    /// The URL is none.
    Url { url: String },
    /// The ID holds characters that no request header can carry.
    LastEventId { id: String },
    /// The server could not be asked.
    Unreachable(Unreachable),
    /// The server refused.
    Refused(Refusal),
    /// The answer is no event stream.
    NoEventStream { content_type: String },
    /// The server sends one on, again and again.
    TooManyRedirects { limit: usize },
    /// The stream holds more than a reader takes.
    Parse(ParseError),
    /// The events cannot be printed.
    Print(io::Error),
    /// The machine gives no means to run on.
    Runtime(io::Error),
}

impl SubscribeError {
    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::UrlAmongTopics { .. } | Self::Url { .. } | Self::LastEventId { .. } => Exit::Usage,
            Self::Unreachable(error) => error.exit(),
            Self::Refused(refusal) => refusal.exit(),
            Self::NoEventStream { .. } | Self::TooManyRedirects { .. } => Exit::Rejected,
            Self::Parse(_) | Self::Print(_) | Self::Runtime(_) => Exit::Failed,
        }
    }
}

impl From<Unreachable> for SubscribeError {
    fn from(error: Unreachable) -> Self {
        Self::Unreachable(error)
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UrlAmongTopics { url } => write!(
                f,
                "{url} is the URL of a stream and so must be alone; a topic that looks like a URL is given with --topic"
            ),
            Self::Url { url } => write!(f, "{url} is not a URL that can be asked"),
            Self::LastEventId { id } => write!(f, "the last event ID {id:?} holds what no request can carry"),
            Self::Unreachable(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::NoEventStream { content_type } if content_type.is_empty() => {
                f.write_str("the answer is no event stream: it has no content type")
            }
            Self::NoEventStream { content_type } => {
                write!(f, "the answer is no event stream (text/event-stream), but {content_type}")
            }
            Self::TooManyRedirects { limit } => write!(f, "the server redirects more than {limit} times"),
            Self::Parse(error) => write!(f, "the event stream cannot be read: {error}"),
            Self::Print(error) => write!(f, "cannot print events: {error}"),
            Self::Runtime(error) => write!(f, "cannot start: {error}"),
        }
    }
}

impl std::error::Error for SubscribeError {}
