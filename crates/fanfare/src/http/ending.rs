//! The reason why there is no event stream, or no more of one: in words that name the right party, and as an exit code.
use super::{Party, Refusal, broken, error, no_answer};
use crate::exit::Exit;
use fanfare_client::{Cause, Error};
use std::fmt;

/// The end of a stream, or of an attempt to get one.
#[derive(Debug)]
pub(crate) struct Ending<E> {
    /// The party that was asked.
    pub party: Party,
    /// The reason.
    pub error: E,
}

impl Ending<Cause> {
    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        of_cause(&self.error)
    }
}

impl Ending<Error> {
    /// The exit code that tells it.
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
        // A stream that breaks is an answer that breaks off: the server was there.
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
            // It is this machine's.
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
