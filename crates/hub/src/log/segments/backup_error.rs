//! The reasons why a backup could not be made.
use super::view_error::ViewError;
use crate::log::LogError;
use std::{error, fmt, io, path::PathBuf};

/// The reason why no backup was made. A directory with the name of the backup and `.partial` may be left; the next
/// backup to the same path uses it again. All other files are unchanged.
#[derive(Debug)]
#[non_exhaustive]
pub enum BackupError {
    /// The log cannot be read.
    From(ViewError),
    /// The path of the backup exists and is not an empty directory.
    NotEmpty(PathBuf),
    /// The path of the backup is inside the log's directory.
    Within(PathBuf),
    /// The path of the backup is the root of a file system. A directory inside it can be used.
    MountPoint(PathBuf),
    /// Another backup to the same path is being made.
    InUse(PathBuf),
    /// The directory `….partial`, in which the backup is made, contains files that do not belong to a backup.
    Occupied(PathBuf),
    /// A segment of the log was rewritten during each attempt to copy it.
    Restless(PathBuf),
    /// A file or directory cannot be written or synced.
    Write {
        /// The path of the file or directory.
        path: PathBuf,
        /// The error of the file system.
        error: io::Error,
    },
}

impl From<ViewError> for BackupError {
    fn from(error: ViewError) -> Self {
        Self::From(error)
    }
}

impl From<LogError> for BackupError {
    fn from(error: LogError) -> Self {
        Self::From(error.into())
    }
}

impl BackupError {
    /// Returns a function that makes a [`Self::Write`] of an error of the file system and this path.
    pub(super) fn of(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |error| Self::Write { path, error }
    }
}

impl fmt::Display for BackupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(error) => error.fmt(f),
            Self::NotEmpty(path) => {
                write!(
                    f,
                    "{} already exists and is not an empty directory: name a directory that is empty or does not \
                     exist",
                    path.display()
                )
            }
            Self::Within(path) => {
                write!(f, "{} is in the directory of the log: name a directory outside of it", path.display())
            }
            Self::MountPoint(path) => {
                write!(f, "{} is the root of a file system: name a new directory in it", path.display())
            }
            Self::InUse(path) => write!(f, "another backup is being made in {}: wait for it", path.display()),
            Self::Occupied(path) => write!(
                f,
                "the backup is made in {}, but there is already something there that is not part of a log: move it \
                 away",
                path.display()
            ),
            Self::Restless(path) => {
                write!(f, "{} was rewritten each time it was copied: run the backup again", path.display())
            }
            Self::Write { path, error } => write!(f, "{} cannot be written: {error}", path.display()),
        }
    }
}

impl error::Error for BackupError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::From(error) => Some(error),
            Self::Write { error, .. } => Some(error),
            _ => None,
        }
    }
}
