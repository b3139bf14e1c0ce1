//! The errors of `fanfare publish`.
use crate::{
    exit::Exit,
    http::{CertificatesError, Refusal, Unreachable, UrlTooLong},
};
use fanfare_hub::update::InvalidUpdate;
use std::{fmt, io};

#[derive(Debug)]
pub(crate) enum PublishError {
    /// There is no data argument, and no pipe to read lines from.
    NoData,
    /// The topic and the options are too long for the URL of a request.
    TooLong(UrlTooLong),
    /// The certificates in the file of `--cacert` cannot be used.
    Certificates(CertificatesError),
    /// The option `--id` was given, but the command may publish more than one update.
    OneIdForMany,
    /// The arguments do not make a valid update.
    Update(InvalidUpdate),
    /// The hub gave no answer.
    Unreachable(Unreachable),
    /// The hub refused the update.
    Refused(Refusal),
    /// The hub refused a whole batch of lines.
    LinesRefused { first: u64, last: u64, refusal: Refusal },
    /// The lines `lines` were not published, or may not have been, for a reason that is not their content, such as a
    /// hub that is down.
    Lines { lines: (u64, u64), error: Box<PublishError> },
    /// Some lines were left out because they are too long. All other lines were published. `lines` is the number of
    /// lines that were left out, and `refused` the number of those that only the hub found too long.
    Skipped { lines: u64, refused: u64 },
    /// The command was told to stop, and could not publish in time all lines that it had read. `lines` has the numbers
    /// of the first and the last line of the batch that was being sent.
    Stopped { lines: Option<(u64, u64)> },
    /// Standard input cannot be read.
    Read(io::Error),
    /// The IDs cannot be printed.
    Print(io::Error),
    /// The asynchronous runtime cannot start, or the signals that stop the command cannot be caught.
    Runtime(io::Error),
}

impl PublishError {
    /// Returns the exit code for this error.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoData | Self::OneIdForMany | Self::TooLong(_) | Self::Certificates(_) | Self::Update(_) => {
                Exit::Usage
            }
            Self::Skipped { refused: 1.., .. } => Exit::Rejected,
            Self::Skipped { .. } | Self::Read(_) | Self::Print(_) | Self::Runtime(_) => Exit::Failed,
            Self::Stopped { .. } => Exit::Unreachable,
            Self::Lines { error, .. } => error.exit(),
            Self::Unreachable(error) => error.exit(),
            Self::Refused(refusal) | Self::LinesRefused { refusal, .. } => refusal.exit(),
        }
    }
}

impl PublishError {
    /// Returns true if the same request may succeed later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(error) => !matches!(error, Unreachable::TokenCharacters),
            Self::Refused(refusal) => refusal.is_passing(),
            _ => false,
        }
    }

    /// Returns true if the update may have been published despite the error.
    pub(super) fn is_unanswered(&self) -> bool {
        match self {
            Self::Unreachable(Unreachable::NoAnswer { error, .. }) => !error.is_connect(),
            Self::Unreachable(error) => !matches!(error, Unreachable::TokenCharacters),
            Self::Refused(refusal) => refusal.status.is_server_error(),
            _ => false,
        }
    }

    /// Returns this error with the numbers of the first and the last line that it is about.
    pub(super) fn of_lines(self, lines: (u64, u64)) -> Self {
        Self::Lines { lines, error: Box::new(self) }
    }
}

impl From<Unreachable> for PublishError {
    fn from(error: Unreachable) -> Self {
        Self::Unreachable(error)
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoData => f.write_str("no data: give it after the topic, or send lines on standard input"),
            Self::TooLong(error) => error.fmt(f),
            Self::Certificates(error) => error.fmt(f),
            Self::OneIdForMany => f.write_str("--id can be used for one update only"),
            Self::Update(error) => error.fmt(f),
            Self::Unreachable(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::LinesRefused { first, last, refusal } if first == last => write!(f, "line {first}: {refusal}"),
            Self::LinesRefused { first, last, refusal } => {
                write!(f, "none of the lines {first} to {last} was published: {refusal}")
            }
            Self::Lines { lines, error } => {
                let outcome = if error.is_unanswered() { "may not have been published" } else { "were not published" };
                write!(f, "{error}; {} and all later lines {outcome}", shown(*lines))
            }
            Self::Skipped { lines: 1, .. } => f.write_str("one line was not published"),
            Self::Skipped { lines, .. } => write!(f, "{lines} lines were not published"),
            Self::Stopped { lines: Some(lines) } => {
                write!(f, "stopped; {} and all later lines may not have been published", shown(*lines))
            }
            Self::Stopped { lines: None } => f.write_str("stopped before all lines that were read were published"),
            Self::Read(error) => write!(f, "cannot read standard input: {error}"),
            Self::Print(error) => write!(f, "cannot print the IDs: {error}"),
            Self::Runtime(error) => write!(f, "the command cannot start: {error}"),
        }
    }
}

impl std::error::Error for PublishError {}

/// Returns a range of lines in words: `line 7`, `the lines 7 to 9`.
pub(super) fn shown((first, last): (u64, u64)) -> String {
    if first == last { format!("line {first}") } else { format!("the lines {first} to {last}") }
}
