//! The errors of `fanfare serve`.
use crate::{config::ConfigError, exit::Exit};
use fanfare_hub::{failure::Failure, log::LogError};
use std::{fmt, io, net::SocketAddr, path::PathBuf};

#[derive(Debug)]
pub(crate) enum ServeError {
    /// The configuration is not valid.
    Config(ConfigError),
    /// The hub cannot listen on the address.
    Listen { address: SocketAddr, error: io::Error },
    /// The asynchronous runtime cannot start, or the signals of the process cannot be caught.
    Runtime(io::Error),
    /// TLS cannot be set up.
    Tls(io::Error),
    /// The log cannot be opened.
    Log { data: PathBuf, error: LogError },
    /// The hub cannot start, because it cannot use the log.
    Hub(LogError),
    /// The operating system does not support the way to deliver streams that `--delivery` names.
    Delivery(io::Error),
    /// The directory in which relays save their states cannot be made.
    RelayDirectory { directory: PathBuf, error: io::Error },
    /// The hub could not do its work any more.
    Failed(Failure),
    /// The first lines of output cannot be printed: the address of the hub, or the configuration for `--check`.
    Print(io::Error),
}

impl ServeError {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Config(_) => Exit::Usage,
            Self::Listen { .. }
            | Self::Runtime(_)
            | Self::Tls(_)
            | Self::Log { .. }
            | Self::Hub(_)
            | Self::Delivery(_)
            | Self::RelayDirectory { .. }
            | Self::Failed(_)
            | Self::Print(_) => Exit::Failed,
        }
    }
}

impl From<ConfigError> for ServeError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Listen { address, error } if error.kind() == io::ErrorKind::AddrInUse => write!(
                f,
                "cannot listen on {address}: another program uses it; give another port, or 0 for a free one, as in \
                 --listen {}:0",
                bracketed(address)
            ),
            Self::Listen { address, error } => write!(f, "cannot listen on {address}: {error}"),
            Self::Runtime(error) => write!(f, "the hub cannot start: {error}"),
            Self::Tls(error) => write!(f, "the hub cannot serve HTTPS: {error}"),
            Self::Log { data, error: LogError::InUse } => write!(
                f,
                "another hub has the log in {}: stop it, or give another directory with --data",
                data.display()
            ),
            Self::Log { data, error } => write!(f, "cannot open the log in {}: {error}", data.display()),
            Self::Hub(error) => error.fmt(f),
            Self::Delivery(error) => {
                write!(f, "--delivery is not supported here: {error}; `auto` chooses one that is")
            }
            Self::RelayDirectory { directory, error } => {
                write!(f, "cannot make the directory {} for the states of relays: {error}", directory.display())
            }
            Self::Failed(failure) => write!(f, "the hub has failed: {failure}"),
            Self::Print(error) => write!(f, "cannot print to standard output: {error}"),
        }
    }
}

impl std::error::Error for ServeError {}

fn bracketed(address: &SocketAddr) -> String {
    if address.is_ipv6() { format!("[{}]", address.ip()) } else { address.ip().to_string() }
}
