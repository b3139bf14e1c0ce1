//! The reasons why a body cannot be decoded.

use std::fmt;

use super::coding::{Coding, MAX_CODINGS};
use crate::BoxError;

/// The reason why the `Content-Encoding` of a response cannot be decoded. It is found in the headers of the response,
/// before any event is read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodingError {
    /// The coding needs the feature `compression`, without which this program was built.
    NotBuiltIn {
        /// The first 32 characters of the coding's name.
        coding: String,
    },
    /// The body has more codings, applied one after the other, than the limit of 4.
    TooMany {
        /// The number of codings that the response names.
        count: usize,
    },
}

impl fmt::Display for EncodingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuiltIn { coding } => {
                write!(f, "this program was built without support for the content coding {coding:?}")
            }
            Self::TooMany { count } => write!(f, "the body has {count} content codings, the limit is {MAX_CODINGS}"),
        }
    }
}

impl std::error::Error for EncodingError {}

/// The reason why a body could not be decoded up to its end. Everything that was decoded before was returned.
#[derive(Debug)]
#[non_exhaustive]
pub enum DecodeError {
    /// The connection failed while the body was read.
    Body(BoxError),
    /// The body does not follow the format of its coding, or needs a larger window than allowed.
    Corrupt {
        /// The coding whose format the body does not follow.
        coding: Coding,
        /// The error text of the decoder.
        reason: String,
    },
    /// The body ended before its compressed data was complete. This is usual if a server stops in the middle of a
    /// stream.
    Truncated {
        /// The coding whose data is incomplete.
        coding: Coding,
    },
    /// The body has more bytes after the end of its compressed data.
    Trailing {
        /// The coding whose compressed data ended before the body did.
        coding: Coding,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(_) => f.write_str("the body could not be read to its end"),
            Self::Corrupt { coding, reason } => write!(f, "the body is not valid {coding}: {reason}"),
            Self::Truncated { coding } => write!(f, "the body ended before the end of its {coding} data"),
            Self::Trailing { coding } => write!(f, "the body continues after the end of its {coding} data"),
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
