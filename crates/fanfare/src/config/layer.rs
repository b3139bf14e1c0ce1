//! A layer of configuration: the values that one source gives.
use std::{fmt, path::PathBuf};
use toml::Table;

/// The source of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The value is the default in the option's definition.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// A variable that is meant for a Mercure hub.
    Mercure(String),
    /// A variable `FANFARE_…`.
    Environment,
    /// A flag.
    Flag,
}

/// The values that one source gives.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) source: Source,
    pub(super) values: Table,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Mercure(variable) => variable.fmt(f),
            Self::Environment => f.write_str("environment"),
            Self::Flag => f.write_str("flag"),
        }
    }
}
