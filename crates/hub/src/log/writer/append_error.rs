//! The reasons why a publication is not appended.
use crate::log::LogError;
use std::{fmt, sync::Arc};

/// The reason why a publication was not appended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AppendError {
    /// The publication has more bytes, as stored, than [`MAX_PUBLICATION_BYTES`](super::MAX_PUBLICATION_BYTES).
    TooLarge {
        /// The number of bytes that the publication has.
        bytes: usize,
        /// The number of bytes that is allowed.
        limit: usize,
    },
    /// The log could not append the publication. The error says why.
    Log(Arc<LogError>),
    /// The writer is closed. If it was closed by a panic, the updates of the publication may be in the log.
    Closed,
}

impl AppendError {
    /// True if the disk has no room for the publication, or a quota or size limit is reached.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Log(error) if error.is_full())
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => write!(f, "the publication has {bytes} bytes, {limit} are allowed"),
            Self::Log(error) => error.fmt(f),
            Self::Closed => f.write_str("the log is closed"),
        }
    }
}

impl std::error::Error for AppendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Log(error) => Some(error),
            Self::TooLarge { .. } | Self::Closed => None,
        }
    }
}
