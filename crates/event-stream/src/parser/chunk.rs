//! A piece of an event stream as it came from the network, and the position up to which it is read.
use super::block::repair;
use alloc::string::String;
use core::{ops::Range, str::from_utf8};

/// The number of bytes of a chunk that the first UTF-8 check covers. Each further check covers [`AHEAD_GROWTH`] times
/// as many, up to [`MAX_AHEAD_BYTES`]. The first check is small, because its work is wasted if the program makes a new
/// chunk for the bytes after each event. The later checks are large, because a value that is only partly covered by one
/// check is often checked again by the next one.
const MIN_AHEAD_BYTES: usize = 512;
/// The greatest number of bytes that one UTF-8 check covers. This many bytes fit into a processor's fastest cache, so
/// they are still in the cache when the parser reads them after the check.
const MAX_AHEAD_BYTES: usize = 16 << 10;
const AHEAD_GROWTH: usize = 4;

/// A piece of an event stream, of any size and cut at any place, with a cursor. Pass it to
/// [`Parser::next_event`](crate::Parser::next_event) again and again, until that function returns `None`.
///
/// To stop in the middle, keep the bytes that [`rest`](Self::rest) returns, and make a new chunk of them later. Or keep
/// all bytes and the number that [`consumed`](Self::consumed) returns, and continue with
/// [`from_position`](Self::from_position).
#[derive(Clone, Debug)]
pub struct Chunk<'c> {
    bytes: &'c [u8],
    pos: usize,
    /// The part of `bytes` that was found to be UTF-8. It begins at the position `text_start`. One check of many bytes
    /// costs much less than a check of each value.
    text: &'c str,
    text_start: usize,
    ahead: usize,
}

impl<'c> Chunk<'c> {
    /// Returns a chunk of which nothing is read yet.
    #[must_use]
    pub fn new(bytes: &'c [u8]) -> Self {
        Self { bytes, pos: 0, text: "", text_start: 0, ahead: MIN_AHEAD_BYTES }
    }

    /// Returns a chunk whose first `position` bytes were read before: the parser continues after these bytes.
    ///
    /// # Panics
    /// Panics if `bytes` is shorter than `position`.
    #[must_use]
    #[inline]
    pub fn from_position(bytes: &'c [u8], position: usize) -> Self {
        assert!(position <= bytes.len(), "the position is beyond the end of the chunk");
        Self { pos: position, ..Self::new(bytes) }
    }

    /// Returns the bytes that are not read yet.
    #[must_use]
    pub fn rest(&self) -> &'c [u8] {
        &self.bytes[self.pos..]
    }

    /// Returns the number of bytes of the chunk that were read, from its start on.
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.pos
    }

    /// Moves the cursor by `count` bytes. At least that many bytes must be unread.
    pub(super) fn advance(&mut self, count: usize) {
        self.pos += count;
    }

    /// Moves the cursor past the line end at its position. Returns `true` if the line end was a CR at the end of the
    /// chunk: the next chunk may begin with the LF of this line end.
    pub(super) fn advance_line_end(&mut self) -> bool {
        let rest = self.rest();
        self.pos += if rest.starts_with(b"\r\n") { 2 } else { 1 };
        rest == b"\r"
    }

    /// Returns the bytes at `range` of the whole chunk.
    #[inline]
    pub(super) fn bytes(&self, range: Range<usize>) -> &'c [u8] {
        &self.bytes[range]
    }

    /// Returns the bytes at `range` of the whole chunk as text. If they are not UTF-8, the text is in `repaired`, with
    /// U+FFFD in place of invalid bytes. No range may begin before the range of the previous call.
    #[inline]
    pub(super) fn text<'a>(&mut self, range: Range<usize>, repaired: &'a mut String) -> &'a str
    where
        'c: 'a,
    {
        match self.checked(range.clone()) {
            Some(text) => text,
            None => repair(self.bytes(range), repaired),
        }
    }

    /// Returns the bytes at `range` as text, or `None` if they are not UTF-8.
    #[inline]
    fn checked(&mut self, range: Range<usize>) -> Option<&'c str> {
        if range.end > self.text_start + self.text.len() {
            self.check_ahead(range.clone());
        }
        self.text.get(range.start - self.text_start..)?.get(..range.len())
    }

    #[inline(never)]
    fn check_ahead(&mut self, range: Range<usize>) {
        let ahead = range.start.saturating_add(self.ahead).clamp(range.end, self.bytes.len());
        let whole = range.end + last_char_start(&self.bytes[range.end..ahead]);
        let bytes = &self.bytes[range.start..whole];
        self.ahead = MAX_AHEAD_BYTES.min(self.ahead * AHEAD_GROWTH);
        self.text_start = range.start;
        self.text = from_utf8(bytes).or_else(|error| from_utf8(&bytes[..error.valid_up_to()])).unwrap_or_default();
    }
}

/// Returns the start of the last character of `bytes` if the character may be incomplete, and otherwise the end of
/// `bytes`.
fn last_char_start(bytes: &[u8]) -> usize {
    const MAX_CHAR_BYTES: usize = 4;
    let tail = bytes.len().saturating_sub(MAX_CHAR_BYTES - 1);
    let lead = bytes[tail..].iter().rposition(|&byte| byte >= 0b1100_0000);
    lead.map_or(bytes.len(), |lead| tail + lead)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Invalid or incomplete text after a range does not change the result for the range.
    #[test]
    fn text_is_what_is_valid() {
        let mut stream = "é…😀 plain".repeat(400).into_bytes();
        let invalid = stream.len() / 2;
        stream[invalid] = 0xff;
        for step in [1, 3, 7, 100, 5000] {
            let mut chunk = Chunk::new(&stream);
            for start in (0..stream.len()).step_by(step) {
                let range = start..stream.len().min(start + step);
                assert_eq!(chunk.checked(range.clone()), from_utf8(&stream[range.clone()]).ok(), "{range:?}");
            }
        }
    }
}
