//! A layer of the configuration: the values of options that come from one source, such as the environment.
use std::{fmt, path::PathBuf};
use toml::Table;

/// The source of an option's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The value is the default in the option's definition.
    Default,
    /// The value is in this configuration file.
    File(PathBuf),
    /// The value comes from this environment variable, which is meant for a Mercure hub.
    Mercure(String),
    /// The value comes from an environment variable `FANFARE_…`.
    Environment,
    /// The value comes from a flag on the command line.
    Flag,
}

/// A layer of the configuration: the values of options that come from one source.
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
