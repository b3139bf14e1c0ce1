//! Why a stream could not be looked at, or what was found in it.
use super::finding::count;
use crate::http::Ending;
use fanfare_client::{BuildError, Error};
use std::{fmt, io};

#[derive(Debug)]
pub(crate) enum LintError {
    /// Something else than one stream that can be asked for is given.
    Source,
    /// The format is one for events.
    Format,
    /// The request cannot be sent as it was given.
    Build(BuildError),
    /// There is no answer.
    NoAnswer(Option<Box<Ending<Error>>>),
    /// The report cannot be printed.
    Print(io::Error),
    /// The report has errors.
    Findings { errors: usize },
}

impl fmt::Display for LintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source => {
                f.write_str("--lint asks for one stream of a server itself: give one URL, or topics of a hub")
            }
            Self::Format => f.write_str("--lint prints text for people (--format pretty) or --format json"),
            Self::Build(error) => error.fmt(f),
            Self::NoAnswer(Some(ending)) => ending.fmt(f),
            Self::NoAnswer(None) => f.write_str("no answer"),
            Self::Print(error) => write!(f, "cannot print the report: {error}"),
            Self::Findings { errors } => write!(f, "{} in this event stream", count(*errors, "error")),
        }
    }
}

impl std::error::Error for LintError {}
