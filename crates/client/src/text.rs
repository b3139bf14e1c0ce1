//! Text that events share instead of copying it.
use bytes::BytesMut;
use bytestring::ByteString;
use smol_str::SmolStr;
use std::{
    borrow::Borrow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
};

/// The longest text, in bytes, that is stored inside a `Text` itself, without separate memory.
const MAX_INLINE_BYTES: usize = 23;

/// Text that is cheap to clone, and dereferences to `str`.
///
/// The data of an event is usually a part of the buffer in which it came from the network. Such a text keeps the whole
/// buffer in memory, which is at most 128 KiB with the transports of this crate. [`detach`](Self::detach) copies the
/// text out of it.
pub struct Text(Inner);

/// The two ways to store a text. Most types and IDs are short and are stored in the `Text` itself, because sharing
/// memory costs two locked instructions for each event.
enum Inner {
    Own(SmolStr),
    Shared(ByteString),
}

impl Clone for Text {
    #[inline(always)] // Each event clones its type and the last event ID.
    fn clone(&self) -> Self {
        Self(match &self.0 {
            Inner::Own(text) => Inner::Own(text.clone()),
            Inner::Shared(text) => Inner::Shared(text.clone()),
        })
    }
}

impl Text {
    /// Makes a `Text` that refers to a static text. This allocates and copies nothing.
    #[must_use]
    #[inline]
    pub const fn from_static(text: &'static str) -> Self {
        Self(Inner::Own(SmolStr::new_static(text)))
    }

    /// Returns the text as `str`.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Inner::Own(text) => text,
            Inner::Shared(text) => text,
        }
    }

    /// Returns a copy of the text that shares no memory with a network buffer.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self::from(self.as_str())
    }

    /// Makes a `Text` of `text`, which is a part of `buffer`. The result shares the memory of `buffer`.
    #[inline]
    pub(crate) fn piece_of(buffer: &ByteString, text: &str) -> Self {
        Self(Inner::Shared(buffer.slice_ref(text)))
    }
}

/// A block of memory that many short texts share, such as the IDs of successive events.
#[derive(Debug)]
pub(crate) struct Page {
    free: BytesMut,
    /// The size of the block, in bytes. One text, however short, may keep the whole block in memory.
    bytes: usize,
}

impl Page {
    /// The least number of texts that fit in a page. A text that is too long for this number of texts to fit gets
    /// separate memory.
    const MIN_TEXTS: usize = 16;

    pub(crate) fn of(bytes: usize) -> Self {
        Self { free: BytesMut::new(), bytes }
    }

    /// Copies `text` into the page's memory, unless it is short enough for the `Text` itself, or too long for a page.
    pub(crate) fn keep(&mut self, text: &str) -> Text {
        if text.len() <= MAX_INLINE_BYTES || text.len() > self.bytes / Self::MIN_TEXTS {
            return text.into();
        }
        if self.free.capacity() < text.len() {
            self.free = BytesMut::with_capacity(self.bytes);
        }
        self.free.extend_from_slice(text.as_bytes());
        let kept = self.free.split().freeze();
        // `kept` is always UTF-8, because it is a copy of `text`. A conversion without a check would need `unsafe`.
        ByteString::try_from(kept).map_or_else(|_| text.into(), |text| Text(Inner::Shared(text)))
    }
}

impl Deref for Text {
    type Target = str;

    #[inline]
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
        Self(Inner::Own(text.into()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        // A text that is too long to be stored inside the `Text` keeps the memory of the `String`, so it is not copied.
        if text.len() <= MAX_INLINE_BYTES { text.as_str().into() } else { Self(Inner::Shared(text.into())) }
    }
}

impl Default for Text {
    fn default() -> Self {
        Self::from_static("")
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
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
    fn a_piece_shares_its_buffer_until_it_is_detached() {
        let buffer = ByteString::from("data: h\u{e9}llo\n\n");
        let piece = Text::piece_of(&buffer, &buffer[6..12]);
        assert_eq!((piece.as_str(), piece.as_ptr()), ("h\u{e9}llo", buffer[6..].as_ptr()));
        assert_ne!(piece.detach().as_ptr(), piece.as_ptr());
        assert_eq!(piece.detach(), piece);
    }

    #[test]
    fn it_is_no_larger_than_what_it_shares() {
        assert_eq!(size_of::<Text>(), size_of::<ByteString>());
    }

    #[test]
    fn what_is_short_is_kept_in_place() {
        let (longest, longer) = ("x".repeat(MAX_INLINE_BYTES), "x".repeat(MAX_INLINE_BYTES + 1));
        let in_place = |text: &Text| matches!(&text.0, Inner::Own(text) if !text.is_heap_allocated());
        for (text, kept) in [("", true), (longest.as_str(), true), (&longer, false)] {
            assert_eq!((in_place(&text.into()), in_place(&text.to_owned().into())), (kept, kept), "{text}");
        }
    }

    #[test]
    fn short_texts_share_a_page() {
        let mut page = Page::of(4 << 10);
        let texts: Vec<String> = (0..2_000).map(|number| format!("é{number} of those that are in a page")).collect();
        let kept: Vec<Text> = texts.iter().map(|text| page.keep(text)).collect();
        assert!(kept.iter().zip(&texts).all(|(kept, text)| kept == text));
        let adjacent = kept.windows(2).filter(|pair| pair[0].as_bytes().as_ptr_range().end == pair[1].as_ptr());
        assert!(adjacent.count() > 1_900, "few pages hold them");
        let long = "x".repeat(1 + (4 << 10));
        assert_eq!(page.keep(&long), long);
    }
}
