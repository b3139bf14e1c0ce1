//! The messages of a relay: to the person who started it, or to the log of the hub that it is part of.
use crate::notice::notice;
use std::io::{self, IsTerminal as _};

/// Says it.
#[derive(Clone, Debug)]
pub(crate) enum Voice {
    /// Standard error, for people.
    Person {
        /// True if connections are told, and not only what goes wrong.
        notices: bool,
        /// True if anything is.
        warnings: bool,
    },
    /// The log of `serve`.
    Log {
        /// The relay's name there.
        name: String,
    },
}

impl Voice {
    /// Speaks to people: notices in a terminal or when asked for.
    pub(super) fn of_person(quiet: bool, verbose: bool) -> Self {
        Self::Person { notices: verbose || (!quiet && io::stderr().is_terminal()), warnings: !quiet }
    }

    /// A connection came about, or something else that is as it should be.
    pub(super) fn notice(&self, text: &str) {
        match self {
            Self::Person { notices: true, .. } => notice(text),
            Self::Person { .. } => {}
            Self::Log { name } => tracing::info!(relay = name, "{text}"),
        }
    }

    /// A connection was lost: it will come back by itself.
    pub(super) fn lost(&self, text: &str) {
        match self {
            Self::Person { .. } => self.notice(text),
            Self::Log { name } => tracing::warn!(relay = name, "{text}"),
        }
    }

    /// Something was left out or is not as it should be.
    pub(super) fn warn(&self, text: &str) {
        match self {
            Self::Person { warnings: true, .. } => notice(text),
            Self::Person { .. } => {}
            Self::Log { name } => tracing::warn!(relay = name, "{text}"),
        }
    }
}
