//! The ID of an event: a type that cannot contain the characters that the `id` field forbids.
use alloc::boxed::Box;
use core::fmt;

/// The value of the `id` field of an event: any text without CR, LF and NUL. An empty ID is allowed and resets the last
/// event ID.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId(Box<str>);

/// The error for a text that contains CR, LF or NUL, which an ID cannot contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEventId;

impl EventId {
    /// Returns `text` as an event ID.
    ///
    /// # Errors
    /// [`InvalidEventId`] if it contains CR, LF or NUL.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, InvalidEventId> {
        let text = text.into();
        if memchr::memchr3(b'\r', b'\n', 0, text.as_bytes()).is_some() { Err(InvalidEventId) } else { Ok(Self(text)) }
    }

    /// Makes an ID of a text that the parser has read from an `id` field. Such a text cannot contain CR, LF or NUL, so
    /// this is not checked.
    pub(crate) fn from_parsed(text: &str) -> Self {
        debug_assert!(Self::new(text).is_ok());
        Self(text.into())
    }

    /// Returns the text of the ID.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidEventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event ID cannot contain CR, LF or NUL")
    }
}

impl core::error::Error for InvalidEventId {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_holds_anything_but_line_ends_and_nul() {
        for text in ["", "7", " leading space", "\u{feff}", "\u{c}", "…", "a:b"] {
            assert_eq!(EventId::new(text).map(|id| id.as_str() == text), Ok(true), "{text:?}");
        }
        for text in ["\r", "\n", "\0", "a\rb", "a\nb", "a\0b"] {
            assert_eq!(EventId::new(text), Err(InvalidEventId), "{text:?}");
        }
    }
}
