//! Why there is no event stream, or no more of one: in words that name the right party, and as an exit code.
use super::{Party, Refusal, broken, error, no_answer};
use crate::exit::Exit;
use fanfare_client::{Cause, Error};
use std::fmt;

/// The end of a stream, or of an attempt to get one.
#[derive(Debug)]
pub(crate) struct Ending<E> {
    /// Who was asked.
    pub party: Party,
    /// Whether a stream had come before.
    pub opened: bool,
    /// Why.
    pub error: E,
}

impl Ending<Cause> {
    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        of_cause(self.opened, &self.error)
    }
}

impl Ending<Error> {
    /// The exit code that tells it.
    pub(crate) fn exit(&self) -> Exit {
        match &self.error {
            Error::Status { parts, .. } => error::exit(parts.status),
            Error::ContentType { .. } | Error::Redirect(_) => Exit::Rejected,
            Error::GaveUp { cause, .. } | Error::NotRepeated { cause } => of_cause(self.opened, cause),
            _ => Exit::Failed,
        }
    }
}

fn of_cause(opened: bool, cause: &Cause) -> Exit {
    match cause {
        Cause::Status(status) | Cause::Verdict(status) => error::exit(*status),
        // A stream that breaks is an answer that breaks off: the server was there.
        Cause::Transport(_) if opened => Exit::Failed,
        _ => Exit::Unreachable,
    }
}

impl fmt::Display for Ending<Cause> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { party, opened, error } = self;
        write_cause(party, *opened, error, f)
    }
}

impl fmt::Display for Ending<Error> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { party, opened, error } = self;
        match error {
            Error::Status { parts, excerpt } => {
                Refusal::new(party, parts.status, excerpt).leading_to(&parts.headers).fmt(f)
            }
            Error::GaveUp { cause, .. } | Error::NotRepeated { cause } => write_cause(party, *opened, cause, f),
            // It is this machine's.
            Error::Store(_) => error.fmt(f),
            error => write!(f, "{}: {error}", party.place()),
        }
    }
}

fn write_cause(party: &Party, opened: bool, cause: &Cause, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match cause {
        Cause::Status(status) => write!(f, "{}", Refusal::new(party, *status, "")),
        Cause::Transport(error) if opened => f.write_str(&broken(party, &**error)),
        Cause::Transport(error) => f.write_str(&no_answer(party, &**error)),
        cause => write!(f, "{}: {cause}", party.place()),
    }
}
