//! The chunk that is being read.
use crate::Text;
use bytes::Bytes;
use bytestring::ByteString;
use fanfare_event_stream::Chunk;
use std::{borrow::Cow, ops::Range};

/// A chunk from the network, with the position up to which it is read.
///
/// Events share the memory of the chunk where it is valid UTF-8. The chunk is checked only if an event lies in it
/// completely. Then all bytes from this event to the end of the chunk are checked at once, which costs much less than
/// to check each event. The parser checks data that spans several chunks, because it joins that data.
#[derive(Default)]
pub(crate) struct Unread {
    bytes: Bytes,
    /// The number of bytes that are already read.
    position: usize,
    /// The part of `bytes` that is known to be UTF-8.
    text: ByteString,
    /// The position in `bytes` where `text` starts.
    text_start: usize,
}

impl Unread {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { bytes, ..Self::default() }
    }

    /// Returns true if the whole chunk is read.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.position == self.bytes.len()
    }

    /// Returns the chunk for the parser, from the present position on.
    #[inline]
    pub(crate) fn chunk(&self) -> Chunk<'_> {
        Chunk::from_position(&self.bytes, self.position)
    }

    /// Sets the number of bytes that are already read.
    #[inline]
    pub(crate) fn set_position(&mut self, position: usize) {
        self.position = position;
    }

    /// Returns the text at `range`, which shares the memory of the chunk. `None` if it is not UTF-8. No range may begin
    /// before the range of the previous call.
    #[inline(always)] // For the reason that `Arrivals::own` gives.
    pub(crate) fn share(&mut self, range: Range<usize>) -> Option<Text> {
        if range.end > self.text_start + self.text.len() {
            self.check(range.start);
        }
        let text = self.text.get(range.start - self.text_start..)?.get(..range.len())?;
        Some(Text::piece_of(&self.text, text))
    }

    /// Returns the text at `range`; bytes that are not UTF-8 are replaced by U+FFFD.
    #[cold]
    pub(crate) fn repaired(&self, range: Range<usize>) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes[range])
    }

    /// Checks the bytes from `start` on. Stores in `text` the bytes up to the first one that is not UTF-8.
    #[inline(never)]
    fn check(&mut self, start: usize) {
        let bytes = self.bytes.slice(start..);
        self.text_start = start;
        self.text = ByteString::try_from(bytes.clone()).unwrap_or_else(|error| {
            // Not all bytes are UTF-8: some may be invalid, or the end of the chunk may cut a character in two. The
            // bytes before the first error are used as text.
            ByteString::try_from(bytes.slice(..error.valid_up_to())).expect("the bytes before the error are UTF-8")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `stream` as texts of `step` bytes, and returns the number of texts that share its memory.
    fn shared(stream: &'static [u8], step: usize) -> usize {
        let mut unread = Unread::new(Bytes::from_static(stream));
        let mut shared = 0;
        for start in (0..stream.len()).step_by(step) {
            let range = start..stream.len().min(start + step);
            let expected = str::from_utf8(&stream[range.clone()]).map(|text| (text, text.as_ptr()));
            let found = unread.share(range);
            assert_eq!(found.as_ref().map(|text| (text.as_str(), text.as_ptr())), expected.ok());
            shared += usize::from(found.is_some());
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
        assert_eq!(unread.share(1..4), None);
        assert_eq!(unread.repaired(1..4), "a\u{fffd}b");
    }

    #[test]
    fn nothing_is_checked_before_it_is_asked_for() {
        let mut unread = Unread::new(Bytes::from_static(b"half of an event\n\nwhole"));
        assert_eq!(unread.text.len(), 0);
        assert_eq!(unread.share(18..23).as_deref(), Some("whole"));
        assert_eq!((unread.text_start, unread.text.len()), (18, 5));
    }
}
