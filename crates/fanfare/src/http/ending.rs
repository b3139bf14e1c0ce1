//! The error that ended an event stream, or an attempt to open one. It becomes a message, which names the party that
//! the request was sent to, and an exit code.
use super::{Party, Refusal, broken, error, no_answer};
use crate::exit::Exit;
use fanfare_client::{Cause, Error};
use std::fmt;

/// The error that ended an event stream or an attempt to open one, with the party that the request was sent to.
#[derive(Debug)]
pub(crate) struct Ending<E> {
    /// The party that the request was sent to.
    pub party: Party,
    /// The error because of which the stream could not be opened, or has ended.
    pub error: E,
}

impl Ending<Cause> {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        of_cause(&self.error)
    }
}

impl Ending<Error> {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match &self.error {
            Error::Status { parts, .. } => error::exit(parts.status),
            Error::ContentType { .. } | Error::Redirect(_) => Exit::Rejected,
            Error::GaveUp { cause, .. } | Error::NotRepeated { cause } => of_cause(cause),
            _ => Exit::Failed,
        }
    }
}

fn of_cause(cause: &Cause) -> Exit {
    match cause {
        Cause::Status(refused) | Cause::Verdict(refused) => error::exit(refused.parts.status),
        // A broken stream is an answer that stopped in the middle. The server was reached, so the exit code is another
        // one than for an unreachable server.
        Cause::Broken(_) => Exit::Failed,
        _ => Exit::Unreachable,
    }
}

impl fmt::Display for Ending<Cause> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_cause(&self.party, &self.error, f)
    }
}

impl fmt::Display for Ending<Error> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { party, error } = self;
        match error {
            Error::Status { parts, excerpt } => Refusal::new(party, parts, excerpt).fmt(f),
            Error::ContentType { excerpt, .. } if !excerpt.trim().is_empty() => {
                write!(f, "{}: {error}: {}", party.place(), error::reason(excerpt))
            }
            Error::GaveUp { cause, .. } | Error::NotRepeated { cause } => write_cause(party, cause, f),
            // The store for the last event ID is on this machine, so the message does not name the party.
            Error::Store(_) => error.fmt(f),
            error => write!(f, "{}: {error}", party.place()),
        }
    }
}

fn write_cause(party: &Party, cause: &Cause, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match cause {
        Cause::Status(refused) => write!(f, "{}", Refusal::new(party, &refused.parts, &refused.excerpt)),
        Cause::Transport(error) => f.write_str(&no_answer(party, &**error)),
        Cause::Broken(error) => f.write_str(&broken(party, &**error)),
        cause => write!(f, "{}: {cause}", party.place()),
    }
}
