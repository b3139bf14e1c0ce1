//! The reason why a log on disk cannot be read.
use crate::log::LogError;
use std::{error, fmt, io, path::PathBuf};

/// The reason why a log on disk cannot be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ViewError {
    /// There is nothing at this path.
    NotFound(PathBuf),
    /// The path is not a directory.
    NotADirectory(PathBuf),
    /// The directory has no log.
    NoLog(PathBuf),
    /// The log cannot be read.
    Log(LogError),
}

impl From<LogError> for ViewError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl From<io::Error> for ViewError {
    fn from(error: io::Error) -> Self {
        Self::Log(error.into())
    }
}

impl fmt::Display for ViewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(path) => write!(f, "{} does not exist", path.display()),
            Self::NotADirectory(path) => {
                write!(f, "{} is not a directory: name the directory that holds the log", path.display())
            }
            Self::NoLog(path) => write!(f, "{} has no log in it: name the directory that holds one", path.display()),
            Self::Log(error) => error.fmt(f),
        }
    }
}

impl error::Error for ViewError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Log(error) => Some(error),
            Self::NotFound(_) | Self::NotADirectory(_) | Self::NoLog(_) => None,
        }
    }
}
