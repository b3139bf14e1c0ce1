//! The errors of `fanfare load`.
use crate::{exit::Exit, http::InvalidHubUrl};
use fanfare_load::target::InvalidUrl;
use std::{fmt, io};

/// The reason why `fanfare load` printed no result, or found faults.
#[derive(Debug)]
pub(crate) enum LoadError {
    /// A text is not a URL that the command can put load on.
    Url(InvalidUrl),
    /// A URL has no scheme, or a mistyped one. `hint` proposes the correct URL.
    NoScheme { url: String, hint: String },
    /// The variable `FANFARE_HUB` is not the URL of a hub.
    Hub(InvalidHubUrl),
    /// The amount of memory that the server's process uses cannot be found out.
    Process { process: u32, error: io::Error },
    /// The scenario stopped with an error before it was complete.
    Run(io::Error),
    /// Subscribers did not get every event once and in order.
    Faults(String),
    /// The result cannot be printed.
    Print(io::Error),
}

impl LoadError {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Url(_) | Self::NoScheme { .. } | Self::Hub(_) | Self::Process { .. } => Exit::Usage,
            Self::Run(error) if is_unreachable(error) => Exit::Unreachable,
            Self::Run(_) | Self::Faults(_) | Self::Print(_) => Exit::Failed,
        }
    }
}

fn is_unreachable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable
    )
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::NoScheme { url, hint } => write!(f, "'{url}' is not a URL; perhaps {hint}"),
            Self::Hub(error) => write!(f, "FANFARE_HUB: {error}"),
            Self::Process { process, error } => write!(f, "cannot read the memory of process {process}: {error}"),
            Self::Run(error) => error.fmt(f),
            Self::Faults(faults) => write!(f, "not every subscriber got every event once and in order: {faults}"),
            Self::Print(error) => write!(f, "cannot print the result: {error}"),
        }
    }
}

impl std::error::Error for LoadError {}
