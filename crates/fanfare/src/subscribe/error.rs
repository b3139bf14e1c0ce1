//! Why there is no stream, or no more of it.
use super::lint::LintError;
use crate::{exit::Exit, http::Refusal};
use fanfare_client::{BuildError, Cause, Error};
use std::{fmt, io};

#[derive(Debug)]
pub(crate) enum SubscribeError {
    /// URLs and topics stand together.
    UrlAmongTopics { url: String },
    /// The URL is none.
    Url { url: String },
    /// The ID holds characters that no request header can carry.
    LastEventId { id: String },
    /// One file cannot keep the IDs of several streams.
    StateOfSeveral,
    /// The request cannot be sent as it was given.
    Build(BuildError),
    /// The body of the request cannot be read.
    Body(io::Error),
    /// The first connection did not come about.
    NotOpened { host: String, cause: Cause },
    /// The stream ended for good.
    Stream { host: String, error: Error },
    /// The events cannot be printed.
    Print(io::Error),
    /// The command cannot be run.
    Exec(io::Error),
    /// The command failed.
    Command { code: Option<i32> },
    /// The stream cannot be looked at, or there are errors in it.
    Lint(LintError),
    /// The machine gives no means to run on.
    Runtime(io::Error),
}

impl SubscribeError {
    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::UrlAmongTopics { .. }
            | Self::Url { .. }
            | Self::LastEventId { .. }
            | Self::StateOfSeveral
            | Self::Build(_) => Exit::Usage,
            Self::NotOpened { cause, .. } => of_cause(cause),
            Self::Stream { error, .. } => of_error(error),
            Self::Lint(error) => of_lint(error),
            Self::Body(_) | Self::Print(_) | Self::Exec(_) | Self::Command { .. } | Self::Runtime(_) => Exit::Failed,
        }
    }
}

fn of_cause(cause: &Cause) -> Exit {
    match cause {
        Cause::Status(refused) | Cause::Verdict(refused) => Refusal::new(refused.parts.status, &refused.excerpt).exit(),
        _ => Exit::Unreachable,
    }
}

fn of_error(error: &Error) -> Exit {
    match error {
        Error::Status { parts, .. } => Refusal::new(parts.status, "").exit(),
        Error::ContentType { .. } | Error::Redirect(_) => Exit::Rejected,
        Error::GaveUp { cause, .. } | Error::NotRepeated { cause } => of_cause(cause),
        _ => Exit::Failed,
    }
}

fn of_lint(error: &LintError) -> Exit {
    match error {
        LintError::Source | LintError::Format | LintError::Build(_) => Exit::Usage,
        LintError::NoAnswer(error) => error.as_ref().map_or(Exit::Unreachable, of_error),
        LintError::Print(_) => Exit::Failed,
        LintError::Findings { .. } => Exit::Rejected,
    }
}

impl fmt::Display for SubscribeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UrlAmongTopics { url } => write!(
                f,
                "{url} is the URL of a stream and cannot stand among topics; a topic that looks like a URL is given \
                 with --topic"
            ),
            Self::Url { url } => write!(f, "{url} is not a URL that can be asked"),
            Self::LastEventId { id } => write!(f, "the last event ID {id:?} holds what no request can carry"),
            Self::StateOfSeveral => f.write_str("--state keeps the last event ID of one stream, not of several"),
            Self::Build(error) => error.fmt(f),
            Self::Body(error) => write!(f, "cannot read the body of the request: {error}"),
            Self::NotOpened { cause: Cause::Status(refused), .. } => {
                Refusal::new(refused.parts.status, &refused.excerpt).fmt(f)
            }
            Self::NotOpened { host, cause } => write!(f, "cannot reach {host}: {cause}"),
            Self::Stream { error: Error::Status { parts, excerpt }, .. } => Refusal::new(parts.status, excerpt).fmt(f),
            Self::Stream { error: Error::GaveUp { cause: Cause::Transport(error), .. }, host } => {
                write!(f, "cannot reach {host}: {}", Cause::Transport(error.clone()))
            }
            Self::Stream { error, .. } => error.fmt(f),
            Self::Print(error) => write!(f, "cannot print events: {error}"),
            Self::Exec(error) => write!(f, "cannot run the command: {error}"),
            Self::Command { code: Some(code) } => write!(f, "the command ended with exit code {code}"),
            Self::Command { code: None } => f.write_str("the command was ended by a signal"),
            Self::Lint(error) => error.fmt(f),
            Self::Runtime(error) => write!(f, "cannot start: {error}"),
        }
    }
}

impl std::error::Error for SubscribeError {}
