//! Text that events share instead of copying it.
use bytes::Bytes;
use bytestring::ByteString;
use std::{borrow::Borrow, fmt, ops::Deref};

/// Text that is cheap to clone, and dereferences to `str`.
///
/// The data of an event is usually a piece of the buffer in which it came from the network, and keeps all of that in
/// memory: 64 KiB at most with the transports of this crate. [`detach`](Self::detach) copies it out.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(ByteString);

impl Text {
    /// Text that needs no memory.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(ByteString::from_static(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text in memory of its own.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self::from(self.as_str())
    }

    /// `text`, which may be a piece of `buffer`: then it shares its memory.
    pub(crate) fn piece_of(buffer: &Bytes, text: &str) -> Self {
        let start = (text.as_ptr() as usize).wrapping_sub(buffer.as_ptr() as usize);
        let end = start.wrapping_add(text.len());
        // That it is text is known and yet checked again: to take it on trust needs `unsafe`.
        let piece = buffer.get(start..end).and_then(|_| ByteString::try_from(buffer.slice(start..end)).ok());
        piece.map_or_else(|| Self::from(text), Self)
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().into()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Text {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_piece_of_the_buffer_shares_it() {
        let buffer = Bytes::from("data: héllo\n\n".to_owned());
        let text = std::str::from_utf8(&buffer).unwrap();
        let elsewhere = String::from("héllo");
        for (piece, shared) in [(&text[6..12], true), (&elsewhere, false)] {
            let found = Text::piece_of(&buffer, piece);
            assert_eq!(found, piece);
            assert_eq!(found.as_ptr() == piece.as_ptr(), shared, "{piece}");
        }
        let found = Text::piece_of(&buffer, &text[6..12]);
        assert_ne!(found.detach().as_ptr(), found.as_ptr());
        assert_eq!(Text::piece_of(&buffer.slice(8..), &text[6..12]), "héllo");
    }
}
