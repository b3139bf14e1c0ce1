//! The chunk that is being read.
use crate::Text;
use bytes::Bytes;
use bytestring::ByteString;
use std::{borrow::Cow, ops::Range};

/// A chunk from the network, and how far it is read.
///
/// Events share its memory where it is text. It is checked only if an event is whole in it, and then from there to its
/// end at once, which costs much less than to check each event. Data that is not whole in one chunk is checked by the
/// parser, which joins it.
#[derive(Default)]
pub(crate) struct Unread {
    bytes: Bytes,
    /// The number of bytes that are read.
    position: usize,
    /// The part of `bytes` that is known to be UTF-8.
    text: ByteString,
    /// The place in `bytes` where it starts.
    text_start: usize,
}

impl Unread {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// True if the whole chunk is read.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.position == self.bytes.len()
    }

    /// The bytes that are not read yet.
    #[inline]
    pub(crate) fn rest(&self) -> &[u8] {
        &self.bytes[self.position..]
    }

    /// Takes `count` bytes as read.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        self.position += count;
    }

    /// Returns the text at `range` of [`rest`](Self::rest), in the memory of the chunk. `None` if it is not UTF-8.
    /// Ranges must not go back.
    #[inline]
    pub(crate) fn share(&mut self, range: Range<usize>) -> Option<Text> {
        let (start, end) = (self.position + range.start, self.position + range.end);
        if end > self.text_start + self.text.len() {
            self.check(start);
        }
        let text = self.text.get(start - self.text_start..end - self.text_start)?;
        Some(Text::piece_of(&self.text, text))
    }

    /// Returns the text at `range` of [`rest`](Self::rest), with U+FFFD for what is not UTF-8.
    #[cold]
    pub(crate) fn repaired(&self, range: Range<usize>) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.rest()[range])
    }

    /// Finds out how far the bytes from `start` on are UTF-8.
    #[inline(never)]
    fn check(&mut self, start: usize) {
        let bytes = self.bytes.slice(start..);
        self.text_start = start;
        self.text = ByteString::try_from(bytes.clone()).unwrap_or_else(|error| {
            // The end of a chunk may cut a character.
            ByteString::try_from(bytes.slice(..error.valid_up_to())).expect("it was checked up to there")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `stream` in events of `step` bytes, and returns how many of them share its memory.
    fn shared(stream: &'static [u8], step: usize) -> usize {
        let mut unread = Unread::new(Bytes::from_static(stream));
        let mut shared = 0;
        while !unread.is_empty() {
            let range = 0..step.min(unread.rest().len());
            let expected = str::from_utf8(&stream[unread.position..][range.clone()]).map(|text| (text, text.as_ptr()));
            let found = unread.share(range.clone());
            assert_eq!(found.as_ref().map(|text| (text.as_str(), text.as_ptr())), expected.ok());
            shared += usize::from(found.is_some());
            unread.advance(range.end);
        }
        shared
    }

    #[test]
    fn text_is_shared_and_nothing_else() {
        assert_eq!(shared(b"data", 1), 4);
        assert_eq!(shared("h\u{e9}llo".as_bytes(), 3), 2);
        assert_eq!(shared("h\u{e9}llo".as_bytes(), 2), 1, "a character is cut between the first two");
        assert_eq!(shared(b"ab\xffcd\xff\xffef\xc3", 1), 6);
        assert_eq!(shared(b"ab\xffcd\xff\xffef\xc3", 2), 1);
    }

    #[test]
    fn what_is_not_text_is_repaired() {
        let mut unread = Unread::new(Bytes::from_static(b"_a\xffb"));
        unread.advance(1);
        assert_eq!(unread.share(0..3), None);
        assert_eq!(unread.repaired(0..3), "a\u{fffd}b");
    }

    #[test]
    fn nothing_is_checked_before_it_is_asked_for() {
        let mut unread = Unread::new(Bytes::from_static(b"half of an event\n\nwhole"));
        unread.advance(18);
        assert_eq!(unread.text.len(), 0);
        assert_eq!(unread.share(0..5).as_deref(), Some("whole"));
        assert_eq!((unread.text_start, unread.text.len()), (18, 5));
    }
}
