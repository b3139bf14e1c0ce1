//! The buffers of the block that is being read: data, event type, last event ID
//! ([WHATWG HTML, 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation)).
//!
//! Bytes are buffered as they arrive, even if a character is divided between two chunks, and are decoded when a value
//! is complete. The result is the same as decoding the stream as a whole: line ends, colon and space are ASCII, and an
//! ASCII byte is never a part of a longer character.
use crate::{BlockRef, EventRef, Limits, ParseError, event::event_type_or_default};
use alloc::{string::String, vec::Vec};
use core::{mem, str::from_utf8};

/// The greatest size, in bytes, of an empty buffer that is kept for later blocks. The memory of a larger buffer is
/// released when the buffer is no longer needed.
pub(super) const RETAINED_BYTES: usize = 64 << 10;

/// The buffers of a block. After the end of a block, only `last_event_id` is still valid for the next block.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    /// The complete lines of data, with an LF after each, and then the part of an incomplete line that has arrived.
    data: Vec<u8>,
    /// The decoded copy of data or of a comment whose bytes are not valid UTF-8.
    pub(super) repaired: String,
    event_type: String,
    /// The last event ID, up to the last blank line that was read: an ID in the unfinished block is not included.
    pub(super) last_event_id: String,
    /// The ID that the current block has set, if `sets_id` is true. It becomes the last event ID at the next blank
    /// line.
    id: String,
    sets_id: bool,
    retry_ms: Option<u64>,
    /// True if the block was returned to the program. Then the next call of `begin` clears it.
    dispatched: bool,
    /// True if no event has used the buffer `data` since the end of the last chunk.
    data_unused: bool,
    /// True if a block with a type or an ID, but without data, is treated as an event.
    pub(super) without_data: bool,
    /// True if a block without data that sets a type, an ID or a reconnection time is returned to the program, as a
    /// [`BlockRef`].
    pub(super) gives_blocks: bool,
    /// True if the block has ended and is not an event, but still has to be returned to the program.
    is_to_give: bool,
}

/// The bytes in the data buffer, and the memory for decoding these bytes. The data of an event is in this buffer if it
/// is not a single line that is complete in the chunk.
pub(super) struct Buffered<'a> {
    bytes: &'a [u8],
    pub(super) repaired: &'a mut String,
    unused: &'a mut bool,
}

impl<'a> Buffered<'a> {
    /// Returns the data as text, without the LF of its last line.
    #[inline]
    pub(super) fn text(self) -> &'a str {
        *self.unused = false;
        self.bytes.split_last().map_or("", |(_, data)| decode(data, self.repaired))
    }
}

impl Block {
    /// Prepares the buffers for the next read: clears them if their block was returned to the program.
    #[inline]
    pub(super) fn begin(&mut self) {
        if self.dispatched {
            self.clear();
        }
    }

    /// Ends the block at a blank line. Returns `true` if the block is an event. `in_chunk` is true if its data is one
    /// line that was left in the chunk.
    #[inline]
    pub(super) fn dispatch(&mut self, in_chunk: bool) -> bool {
        if self.sets_id {
            mem::swap(&mut self.last_event_id, &mut self.id);
        }
        let named = self.sets_id || !self.event_type.is_empty();
        self.dispatched = in_chunk || self.has_data() || (self.without_data && named);
        if !self.dispatched {
            self.pass_over();
        }
        self.dispatched
    }

    /// Ends a block that is not an event: keeps it if it has to be returned as a [`BlockRef`], and clears it otherwise.
    fn pass_over(&mut self) {
        let says_something = self.sets_id || self.retry_ms.is_some() || !self.event_type.is_empty();
        if self.gives_blocks && says_something {
            // The block stays in the buffers until it is returned.
            self.is_to_give = true;
        } else {
            self.clear();
        }
    }

    /// Returns true, but only once, if the block that has ended is not an event but has to be returned to the program.
    /// The next call of `begin` clears the block.
    pub(super) fn take_to_give(&mut self) -> bool {
        self.dispatched |= self.is_to_give;
        mem::take(&mut self.is_to_give)
    }

    /// Returns the block that has ended and is not an event.
    pub(super) fn block(&self) -> BlockRef<'_> {
        BlockRef {
            event_type: (!self.event_type.is_empty()).then_some(&self.event_type),
            id: self.sets_id.then_some(&self.last_event_id),
            retry_ms: self.retry_ms,
        }
    }

    /// Ends a block that is skipped: its ID becomes the last event ID, and everything else in the buffers is dropped.
    pub(super) fn skip(&mut self) {
        if self.sets_id {
            mem::swap(&mut self.last_event_id, &mut self.id);
        }
        self.clear();
    }

    /// Returns the number of bytes in the data buffer, including a line end after each complete line.
    pub(super) fn data_bytes(&self) -> usize {
        self.data.len()
    }

    /// Drops all data and releases its memory.
    pub(super) fn drop_data(&mut self) {
        self.data = Vec::new();
    }

    /// Returns the event that the last call of `dispatch` completed. The function `data` chooses the event's data: the
    /// [`Buffered`] data that is passed to it, or the line that was left in the chunk.
    #[inline(always)] // For the reason that `Parser::next_event` gives.
    pub(super) fn event<'a, D>(&'a mut self, data: impl FnOnce(Buffered<'a>) -> D) -> EventRef<'a, D> {
        let Self { data: bytes, repaired, data_unused: unused, .. } = self;
        EventRef {
            event_type: event_type_or_default(&self.event_type),
            data: data(Buffered { bytes, repaired, unused }),
            last_event_id: &self.last_event_id,
            sets_id: self.sets_id,
            retry_ms: self.retry_ms,
        }
    }

    /// Returns true if data is buffered.
    pub(super) fn has_data(&self) -> bool {
        !self.data.is_empty()
    }

    /// Returns an error if the data would exceed its limit with `more` bytes added to its last line.
    #[inline]
    pub(super) fn check_data(&self, more: usize, limits: &Limits) -> Result<(), ParseError> {
        let limit = limits.max_data_bytes;
        // The LF after the last line is not part of the data, so only this LF may be beyond the limit.
        let fits = self.data.len() <= limit && more <= limit - self.data.len();
        if fits { Ok(()) } else { Err(ParseError::DataTooLong { limit }) }
    }

    /// Appends a piece of a line of data that is divided between chunks.
    #[inline]
    pub(super) fn push_data(&mut self, piece: &[u8], limits: &Limits) -> Result<(), ParseError> {
        self.check_data(piece.len(), limits)?;
        self.data.extend_from_slice(piece);
        Ok(())
    }

    /// Ends a line of data whose pieces were appended with `push_data`.
    pub(super) fn end_data_line(&mut self, limits: &Limits) -> Result<(), ParseError> {
        self.check_data(0, limits)?;
        self.data.push(b'\n');
        Ok(())
    }

    /// Appends a line of data, or the last piece of one. `line` includes the first byte of the line end, in whose place
    /// an LF is written. So the line and its LF are appended with a single copy.
    #[inline]
    pub(super) fn push_data_line(&mut self, line: &[u8], limits: &Limits) -> Result<(), ParseError> {
        self.check_data(line.len() - 1, limits)?;
        self.data.extend_from_slice(line);
        if let Some(end) = self.data.last_mut() {
            *end = b'\n';
        }
        Ok(())
    }

    /// Sets the event type.
    pub(super) fn set_type(&mut self, value: &[u8]) {
        replace(&mut self.event_type, value);
    }

    /// Sets the ID of the block, which becomes the last event ID at the next blank line. A value with a NUL is ignored.
    pub(super) fn set_id(&mut self, value: &[u8]) {
        if !value.contains(&0) {
            replace(&mut self.id, value);
            self.sets_id = true;
        }
    }

    /// Forgets the ID that this block has set.
    pub(super) fn drop_id(&mut self) {
        self.sets_id = false;
    }

    pub(super) fn set_retry(&mut self, retry_ms: u64) {
        self.retry_ms = Some(retry_ms);
    }

    /// Drops the unfinished block and releases its buffers. Only the last event ID from before the block is kept.
    pub(super) fn discard(&mut self) {
        let last_event_id = mem::take(&mut self.last_event_id);
        let Self { without_data, gives_blocks, .. } = *self;
        *self = Self { last_event_id, without_data, gives_blocks, ..Self::default() };
    }

    /// Releases the memory that a large event has used. This function is called at the end of each chunk. It keeps the
    /// data buffer until a whole chunk was read without an event in this buffer, so that the buffer need not grow again
    /// for each of several large events in a row.
    pub(super) fn release(&mut self) {
        self.repaired = String::new();
        if self.data.is_empty() && self.data.capacity() > RETAINED_BYTES && mem::replace(&mut self.data_unused, true) {
            self.data = Vec::new();
        }
    }

    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        let texts = [&self.repaired, &self.event_type, &self.last_event_id, &self.id];
        self.data.capacity() + texts.map(String::capacity).iter().sum::<usize>()
    }

    fn clear(&mut self) {
        self.data.clear();
        self.event_type.clear();
        self.sets_id = false;
        self.retry_ms = None;
        self.dispatched = false;
    }
}

/// Returns `bytes` as text. If they are not UTF-8, the text is in `repaired`, with U+FFFD in place of invalid bytes.
#[inline]
pub(super) fn decode<'a>(bytes: &'a [u8], repaired: &'a mut String) -> &'a str {
    from_utf8(bytes).unwrap_or_else(|_| repair(bytes, repaired))
}

/// Puts `bytes` into `repaired`, with U+FFFD in place of bytes that are not UTF-8.
#[cold]
pub(super) fn repair<'a>(bytes: &[u8], repaired: &'a mut String) -> &'a str {
    *repaired = String::from_utf8_lossy(bytes).into_owned();
    repaired
}

/// Replaces the content of `buffer` by the decoded `value`.
fn replace(buffer: &mut String, value: &[u8]) {
    buffer.clear();
    match from_utf8(value) {
        Ok(text) => buffer.push_str(text),
        Err(_) => buffer.push_str(&String::from_utf8_lossy(value)),
    }
}
