//! Why an update was not published.
use crate::{
    exit::Exit,
    http::{Refusal, Unreachable, UrlTooLong},
};
use std::{fmt, io};

#[derive(Debug)]
pub(crate) enum PublishError {
    /// There is neither data nor a pipe to read it from.
    NoData,
    /// Topic and options do not fit into a request.
    TooLong(UrlTooLong),
    /// An ID was given for more than one update.
    OneIdForMany,
    /// A line of standard input is longer than any hub accepts.
    LineTooLong { line: u64, limit: u64 },
    /// The hub could not be asked.
    Unreachable(Unreachable),
    /// The hub refused.
    Refused(Refusal),
    /// The hub refused a batch of lines whole.
    LinesRefused { first: u64, last: u64, refusal: Refusal },
    /// Standard input cannot be read.
    Read(io::Error),
    /// The IDs cannot be printed.
    Print(io::Error),
    /// The machine gives no means to run on.
    Runtime(io::Error),
}

impl PublishError {
    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoData | Self::OneIdForMany | Self::TooLong(_) => Exit::Usage,
            Self::LineTooLong { .. } | Self::Read(_) | Self::Print(_) | Self::Runtime(_) => Exit::Failed,
            Self::Unreachable(error) => error.exit(),
            Self::Refused(refusal) | Self::LinesRefused { refusal, .. } => refusal.exit(),
        }
    }
}

impl From<Unreachable> for PublishError {
    fn from(error: Unreachable) -> Self {
        Self::Unreachable(error)
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoData => f.write_str("no data: give it after the topic, or pipe lines in"),
            Self::TooLong(error) => error.fmt(f),
            Self::OneIdForMany => f.write_str("--id names one update, and there may be several"),
            Self::LineTooLong { line, limit } => write!(f, "line {line} is longer than {limit} bytes"),
            Self::Unreachable(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::LinesRefused { first, last, refusal } if first == last => write!(f, "line {first}: {refusal}"),
            Self::LinesRefused { first, last, refusal } => {
                write!(f, "none of the lines {first} to {last} was published: {refusal}")
            }
            Self::Read(error) => write!(f, "cannot read standard input: {error}"),
            Self::Print(error) => write!(f, "cannot print the IDs: {error}"),
            Self::Runtime(error) => write!(f, "cannot start: {error}"),
        }
    }
}

impl std::error::Error for PublishError {}
