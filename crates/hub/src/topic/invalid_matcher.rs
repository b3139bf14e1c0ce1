//! The reason why a text is not a matcher.
use super::linear_regex::{CompileError, MAX_COMPILED_BYTES};
use std::fmt;

/// The reason why a text is not a matcher.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidMatcher {
    /// The text is empty.
    Empty,
    /// The text is longer than [`MAX_MATCHER_BYTES`](super::matcher::MAX_MATCHER_BYTES).
    TooLong {
        /// The length of the text in bytes.
        bytes: usize,
        /// The longest length that is allowed, in bytes.
        limit: usize,
    },
    /// The text contains a control character or an invisible format character.
    Character(char),
    /// The text is not a URL Pattern; the string says why.
    InvalidPattern(String),
    /// One of the matcher's regular expressions is larger than [`MAX_COMPILED_BYTES`](super::MAX_COMPILED_BYTES) when
    /// compiled.
    TooComplex {
        /// The largest compiled form allowed, in bytes.
        limit: usize,
    },
}

impl From<CompileError> for InvalidMatcher {
    fn from(error: CompileError) -> Self {
        match error {
            CompileError::TooLarge => Self::TooComplex { limit: MAX_COMPILED_BYTES },
            CompileError::Syntax(reason) => Self::InvalidPattern(reason),
        }
    }
}

impl fmt::Display for InvalidMatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a topic matcher cannot be empty"),
            Self::TooLong { bytes, limit } => write!(f, "the topic matcher has {bytes} bytes, {limit} are allowed"),
            Self::Character(character) => {
                write!(f, "the topic matcher contains {character:?}, a control or format character")
            }
            Self::InvalidPattern(reason) => write!(f, "the topic matcher is not a URL Pattern: {reason}"),
            Self::TooComplex { limit } => {
                write!(f, "the topic matcher is too complex: it needs more than {limit} bytes of memory")
            }
        }
    }
}

impl std::error::Error for InvalidMatcher {}
