//! The reasons why a body cannot be decoded.

use std::fmt;

use super::coding::{Coding, MAX_CODINGS};
use crate::BoxError;

/// A response's `Content-Encoding` that cannot be undone. It is known from the head: the stream never begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodingError {
    /// A coding for which the feature `compression` is needed.
    NotBuiltIn {
        /// The first 32 characters of its name.
        coding: String,
    },
    /// More codings over each other than the 4 that are undone.
    TooMany {
        /// The number of them.
        count: usize,
    },
}

impl fmt::Display for EncodingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuiltIn { coding } => write!(f, "the content coding {coding:?} is not built in"),
            Self::TooMany { count } => write!(f, "{count} content codings over each other are more than {MAX_CODINGS}"),
        }
    }
}

impl std::error::Error for EncodingError {}

/// The reason why a body ended before its end. All that was decoded until then has been given.
#[derive(Debug)]
#[non_exhaustive]
pub enum DecodeError {
    /// The body itself broke.
    Body(BoxError),
    /// It is not what its coding prescribes, or needs a larger window than is granted.
    Corrupt {
        /// The coding.
        coding: Coding,
        /// The words of its decoder.
        reason: String,
    },
    /// It ended inside of its coding. A server that stops in the middle of a stream usually does this.
    Truncated {
        /// The coding.
        coding: Coding,
    },
    /// It went on behind the end of its coding.
    Trailing {
        /// The coding.
        coding: Coding,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(_) => f.write_str("the body broke"),
            Self::Corrupt { coding, reason } => write!(f, "the body is not valid {coding}: {reason}"),
            Self::Truncated { coding } => write!(f, "the body ended before its {coding} did"),
            Self::Trailing { coding } => write!(f, "the body goes on behind the end of its {coding}"),
        }
    }
}

impl std::error::Error for DecodeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Body(error) => Some(&**error),
            _ => None,
        }
    }
}
