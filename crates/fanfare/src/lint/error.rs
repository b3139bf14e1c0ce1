//! The errors of `fanfare lint`.
use super::finding::count;
use crate::{exit::Exit, http::Ending, request::RequestError};
use fanfare_client::Error;
use std::{fmt, io};

#[derive(Debug)]
pub(crate) enum LintError {
    /// The arguments name several streams, or standard input, instead of one stream of a server.
    Source,
    /// The request cannot be made.
    Request(RequestError),
    /// The server gave no answer. The field is the reason, if it is known.
    NoAnswer(Option<Box<Ending<Error>>>),
    /// The report cannot be printed.
    Print(io::Error),
    /// The report contains findings that are errors. The field is their number.
    Findings { errors: usize },
    /// The asynchronous runtime cannot start.
    Runtime(io::Error),
}

impl LintError {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Source => Exit::Usage,
            Self::Request(error) => error.exit(),
            Self::NoAnswer(error) => error.as_ref().map_or(Exit::Unreachable, |ending| ending.exit()),
            Self::Print(_) | Self::Runtime(_) => Exit::Failed,
            Self::Findings { .. } => Exit::Rejected,
        }
    }
}

impl fmt::Display for LintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source => f.write_str("lint checks one stream of a server: give one URL, or topics of a hub"),
            Self::Request(error) => error.fmt(f),
            Self::NoAnswer(Some(ending)) => ending.fmt(f),
            Self::NoAnswer(None) => f.write_str("the server gave no answer"),
            Self::Print(error) => write!(f, "cannot print the report: {error}"),
            Self::Findings { errors } => write!(f, "{} in this event stream", count(*errors, "error")),
            Self::Runtime(error) => write!(f, "the command cannot start: {error}"),
        }
    }
}

impl std::error::Error for LintError {}
