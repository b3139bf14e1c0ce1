//! Writes the messages of a relay: on standard error for the person who started it, or to the log of the hub that
//! contains the relay.
use crate::notice::notice;
use std::io::{self, IsTerminal as _};

/// The place to which messages are written.
#[derive(Clone, Debug)]
pub(crate) enum Voice {
    /// Messages are written to standard error, for people.
    Person {
        /// True if messages about connections are printed, for example that a connection was opened or lost.
        notices: bool,
        /// True if messages about other problems are printed, for example that an event was left out.
        warnings: bool,
    },
    /// Messages are written to the log of `serve`.
    Log {
        /// The relay's name in the log.
        name: String,
    },
}

impl Voice {
    /// Makes a voice that writes to standard error, for people. Notices are written only to a terminal, or if `verbose`
    /// is true.
    pub(super) fn of_person(quiet: bool, verbose: bool) -> Self {
        Self::Person { notices: verbose || (!quiet && io::stderr().is_terminal()), warnings: !quiet }
    }

    /// Reports that a connection was opened, or something else that is not a problem.
    pub(super) fn notice(&self, text: &str) {
        match self {
            Self::Person { notices: true, .. } => notice(text),
            Self::Person { .. } => {}
            Self::Log { name } => tracing::info!(relay = name, "{text}"),
        }
    }

    /// Reports that a connection was lost. The relay opens it again by itself.
    pub(super) fn lost(&self, text: &str) {
        match self {
            Self::Person { .. } => self.notice(text),
            Self::Log { name } => tracing::warn!(relay = name, "{text}"),
        }
    }

    /// Reports that an event was left out, or another problem.
    pub(super) fn warn(&self, text: &str) {
        match self {
            Self::Person { warnings: true, .. } => notice(text),
            Self::Person { .. } => {}
            Self::Log { name } => tracing::warn!(relay = name, "{text}"),
        }
    }
}
