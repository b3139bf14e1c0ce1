//! The errors of `fanfare log`.
use super::{given::InvalidLine, place::UnknownPlace};
use crate::exit::Exit;
use fanfare_hub::log::{BackupError, LogError, ViewError};
use std::{fmt, io, path::PathBuf};

/// The reason why a verb of `fanfare log` failed, or the faults that it found in the log.
#[derive(Debug)]
pub(crate) enum LogCommandError {
    /// The log cannot be read.
    View(ViewError),
    /// A hub has the log open, so only the hub can change it. `instead` names the way to change the log through the
    /// hub.
    InUse { dir: PathBuf, instead: &'static str },
    /// The log cannot be opened, or cannot be written.
    Log { dir: PathBuf, error: LogError },
    /// The log has no update at the place that an option names.
    Place(UnknownPlace),
    /// The backup cannot be made.
    Backup(BackupError),
    /// Some of the updates that were to be printed are lost. `updates` is their number.
    Lost { updates: u64 },
    /// The check of the log found faults.
    Unsound { findings: u64 },
    /// The lines to import cannot be read.
    Read { from: String, error: io::Error },
    /// A line to import is not an update. `imported` is the number of the last line that was imported; `None` if no
    /// line was.
    Line { number: u64, error: InvalidLine, imported: Option<u64> },
    /// A batch of lines could not be appended. `imported` is the number of the last line that was imported; `None` if
    /// no line was.
    Append { lines: (u64, u64), error: LogError, imported: Option<u64> },
    /// Updates would be erased, but the user has not confirmed it.
    Unconfirmed { updates: u64 },
    /// The output cannot be printed.
    Print(io::Error),
}

impl LogCommandError {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::View(error) | Self::Backup(BackupError::From(error)) if is_usage(error) => Exit::Usage,
            Self::Backup(BackupError::NotEmpty(_) | BackupError::Within(_) | BackupError::MountPoint(_))
            | Self::Place(_)
            | Self::Unconfirmed { .. } => Exit::Usage,
            _ => Exit::Failed,
        }
    }
}

/// Returns true if the cause is a wrong argument: the path is not the path of a log.
fn is_usage(error: &ViewError) -> bool {
    matches!(error, ViewError::NotFound(_) | ViewError::NotADirectory(_) | ViewError::NoLog(_))
}

impl From<ViewError> for LogCommandError {
    fn from(error: ViewError) -> Self {
        Self::View(error)
    }
}

impl fmt::Display for LogCommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::View(error) => error.fmt(f),
            Self::InUse { dir, instead } => {
                write!(f, "a hub uses the log in {}: stop the hub, or use {instead}", dir.display())
            }
            Self::Log { dir, error } => write!(f, "{}: {error}", dir.display()),
            Self::Place(error) => error.fmt(f),
            Self::Backup(error) => error.fmt(f),
            Self::Lost { updates: 1 } => f.write_str("one update is lost: it could not be printed"),
            Self::Lost { updates } => write!(f, "{updates} updates are lost: they could not be printed"),
            Self::Unsound { findings: 1 } => f.write_str("one thing is wrong with the log"),
            Self::Unsound { findings } => write!(f, "{findings} things are wrong with the log"),
            Self::Read { from, error } => write!(f, "cannot read {from}: {error}"),
            Self::Line { number, error, imported } => {
                write!(f, "line {number}: {error}; {}", Imported(*imported))
            }
            Self::Append { lines: (first, last), error, imported } => {
                write!(f, "the lines {first} to {last} cannot be appended: {error}; {}", Imported(*imported))
            }
            Self::Unconfirmed { updates } => {
                write!(
                    f,
                    "nothing was erased, because nobody has confirmed it: give --yes to erase {}",
                    super::quantity::updates(*updates)
                )
            }
            Self::Print(error) => write!(f, "cannot print to standard output: {error}"),
        }
    }
}

impl std::error::Error for LogCommandError {}

/// The progress of an import: the number of the last line that was imported; `None` if no line was.
struct Imported(Option<u64>);

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("nothing was imported"),
            Some(last) => write!(f, "the lines up to {last} were imported, later lines were not"),
        }
    }
}
