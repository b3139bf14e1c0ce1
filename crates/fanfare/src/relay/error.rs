//! Why a relay ended.
use super::sink::Closed;
use crate::{
    exit::Exit,
    http::{Refusal, Unreachable},
};
use fanfare_client::{BuildError, Cause, Error};
use std::{fmt, io};

#[derive(Debug)]
pub(crate) enum RelayError {
    /// The upstream cannot be asked as it was given.
    Build(BuildError),
    /// The first connection to the upstream did not come about.
    NotOpened { host: String, cause: Cause },
    /// The upstream refused at the first attempt.
    Upstream { host: String, error: Error },
    /// How far the relay has come cannot be kept, or not be read.
    State(Error),
    /// The hub cannot be asked as it was given.
    Hub(Unreachable),
    /// The hub takes nothing.
    Closed(Closed),
    /// The machine gives no means to run on.
    Runtime(io::Error),
}

impl RelayError {
    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Build(_) => Exit::Usage,
            Self::NotOpened { cause, .. } => of_cause(cause),
            Self::Upstream { error, .. } => of_error(error),
            Self::Hub(error) => error.exit(),
            Self::Closed(Closed::Refused(refusal)) => refusal.exit(),
            Self::Closed(Closed::Ended) | Self::State(_) | Self::Runtime(_) => Exit::Failed,
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

impl fmt::Display for RelayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Build(error) => error.fmt(f),
            Self::NotOpened { host, cause } => write!(f, "cannot relay {host}: {cause}"),
            Self::Upstream { host, error } => write!(f, "cannot relay {host}: {error}"),
            Self::State(error) => error.fmt(f),
            Self::Hub(error) => error.fmt(f),
            Self::Closed(Closed::Refused(refusal)) => refusal.fmt(f),
            Self::Closed(Closed::Ended) => f.write_str("the hub has ended"),
            Self::Runtime(error) => write!(f, "cannot start: {error}"),
        }
    }
}

impl std::error::Error for RelayError {}
