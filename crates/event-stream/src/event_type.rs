//! The type of an event: a type that cannot contain the characters that the `event` field forbids.
use alloc::boxed::Box;
use core::fmt;

/// The value of the `event` field of an event: any text without CR and LF. An empty text means the same as no field:
/// `message`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventType(Box<str>);

/// The error for a text that contains CR or LF, which an event type cannot contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidEventType;

impl EventType {
    /// Returns `text` as an event type.
    ///
    /// # Errors
    /// [`InvalidEventType`] if it contains CR or LF.
    pub fn new(text: impl Into<Box<str>>) -> Result<Self, InvalidEventType> {
        let text = text.into();
        if memchr::memchr2(b'\r', b'\n', text.as_bytes()).is_some() { Err(InvalidEventType) } else { Ok(Self(text)) }
    }

    /// Makes an event type of a text that the parser has read from an `event` field. Such a text cannot contain CR or
    /// LF, so this is not checked.
    pub(crate) fn from_parsed(text: &str) -> Self {
        debug_assert!(Self::new(text).is_ok());
        Self(text.into())
    }

    /// Returns the text of the type.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidEventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event type cannot contain CR or LF")
    }
}

impl core::error::Error for InvalidEventType {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_holds_anything_but_line_ends() {
        for text in ["", "message", " x", "\0", "…", "a:b"] {
            assert_eq!(EventType::new(text).map(|event_type| event_type.as_str() == text), Ok(true), "{text:?}");
        }
        for text in ["\r", "\n", "a\rb", "a\nb"] {
            assert_eq!(EventType::new(text), Err(InvalidEventType), "{text:?}");
        }
    }
}
