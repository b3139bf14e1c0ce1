//! The errors of `fanfare subscribe`.
use super::ends::MAX_IN_VAIN;
use crate::{
    exit::Exit,
    http::{Ending, Party},
    request::RequestError,
};
use fanfare_client::{Cause, Error};
use std::{fmt, io};

#[derive(Debug)]
pub(crate) enum SubscribeError {
    /// The option `--lint` was given, which was replaced by the command `fanfare lint`.
    Lint,
    /// The request for the stream cannot be made.
    Request(RequestError),
    /// One state file was given for several streams, but it can keep the ID of only one.
    StateOfSeveral,
    /// The first connection could not be opened.
    NotOpened(Box<Ending<Cause>>),
    /// A stream cannot be opened, or cannot be continued.
    Stream(Box<Ending<Error>>),
    /// The streams ended before the event that `--until` names.
    Unfinished { marker: String },
    /// A server ended several streams in a row before the event that `--until` names, and sent no new event.
    InVain { party: Party, marker: String },
    /// An event in a server's answer reports that the answer failed.
    Failed { party: Party, reason: String },
    /// The events cannot be printed.
    Print(io::Error),
    /// The command of `--exec` cannot be run.
    Exec(io::Error),
    /// The command of `--exec` failed.
    Command { code: Option<i32> },
    /// The asynchronous runtime, which every connection needs, cannot start.
    Runtime(io::Error),
}

impl SubscribeError {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Lint | Self::StateOfSeveral => Exit::Usage,
            Self::Request(error) => error.exit(),
            Self::NotOpened(ending) => ending.exit(),
            Self::Stream(ending) => ending.exit(),
            Self::Unfinished { .. } | Self::InVain { .. } | Self::Failed { .. } => Exit::Failed,
            Self::Print(_) | Self::Exec(_) | Self::Command { .. } | Self::Runtime(_) => Exit::Failed,
        }
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lint => f.write_str(
                "the option --lint was removed: use `fanfare lint URL` to see what is wrong with an event stream",
            ),
            Self::Request(error) => error.fmt(f),
            Self::StateOfSeveral => {
                f.write_str("--state can save the last event ID of one stream only: give one URL, or topics of the hub")
            }
            Self::NotOpened(ending) => ending.fmt(f),
            Self::Stream(ending) => ending.fmt(f),
            Self::Unfinished { marker } => write!(f, "the stream ended before {marker:?} arrived (--until)"),
            Self::InVain { party, marker } => write!(
                f,
                "{} ended {MAX_IN_VAIN} streams in a row before {marker:?} arrived (--until), and sent no new event",
                party.place()
            ),
            Self::Failed { party, reason } => write!(f, "{party} reports an error in its answer: {reason}"),
            Self::Print(error) => write!(f, "cannot print events: {error}"),
            Self::Exec(error) => write!(f, "cannot run the command of --exec: {error}"),
            Self::Command { code: Some(code) } => write!(f, "the command of --exec ended with exit code {code}"),
            Self::Command { code: None } => f.write_str("the command of --exec was ended by a signal"),
            Self::Runtime(error) => write!(f, "the command cannot start: {error}"),
        }
    }
}

impl std::error::Error for SubscribeError {}
