//! The buffers of the block that is being read: data, event type, last event ID
//! ([WHATWG HTML, 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation)).
//!
//! Bytes are buffered as they come, whatever characters they are cut in, and decoded once a value is whole. That is the
//! same as decoding the stream as a whole: line ends, colon and space are ASCII, and any ASCII byte ends a character.
use crate::{BlockRef, EventRef, Limits, ParseError, event::event_type_or_default};
use alloc::{string::String, vec::Vec};
use core::{mem, str::from_utf8};

/// The bytes that a buffer may keep for good; one that has grown beyond gives all its memory back when it is no longer
/// used.
pub(super) const RETAINED_BYTES: usize = 64 << 10;

/// The buffers. Between blocks, all but `last_event_id` are empty.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    /// Each whole line of data with an LF after it, and then what there is of a begun one.
    data: Vec<u8>,
    /// The data decoded, if it is not valid UTF-8 as it is.
    pub(super) repaired: String,
    event_type: String,
    /// The last event ID, as the last blank line left it.
    pub(super) last_event_id: String,
    /// The last event ID as the next blank line will make it; counts only if `sets_id`.
    id: String,
    sets_id: bool,
    retry_ms: Option<u64>,
    /// The event has been given out: the next step clears it.
    dispatched: bool,
    /// `data` has not been needed since the end of the last chunk.
    data_unused: bool,
    /// A block without data is an event as well if it has a type or an ID.
    pub(super) without_data: bool,
    /// A block that is no event is given as it is.
    pub(super) gives_blocks: bool,
    /// It is one of those, and was not given yet.
    is_to_give: bool,
}

/// The data of an event that is not in its chunk, and what is needed to decode it.
pub(super) struct Buffered<'a> {
    bytes: &'a [u8],
    pub(super) repaired: &'a mut String,
    unused: &'a mut bool,
}

impl<'a> Buffered<'a> {
    /// Returns the data, without the LF of its last line.
    #[inline]
    pub(super) fn text(self) -> &'a str {
        *self.unused = false;
        self.bytes.split_last().map_or("", |(_, data)| decode(data, self.repaired))
    }
}

impl Block {
    /// Clears an event that has been given out.
    #[inline]
    pub(super) fn begin(&mut self) {
        if self.dispatched {
            self.clear();
        }
    }

    /// Ends the block at a blank line. `true` if that makes an event; `in_chunk` says that its data is in the chunk.
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

    /// Ends a block that is no event.
    fn pass_over(&mut self) {
        let says_something = self.sets_id || self.retry_ms.is_some() || !self.event_type.is_empty();
        if self.gives_blocks && says_something {
            // It stays until it is given.
            self.is_to_give = true;
        } else {
            self.clear();
        }
    }

    /// True if the block that ended is to be given although it is no event. The next step clears it.
    pub(super) fn take_to_give(&mut self) -> bool {
        self.dispatched |= self.is_to_give;
        mem::take(&mut self.is_to_give)
    }

    /// The block that is no event.
    pub(super) fn block(&self) -> BlockRef<'_> {
        BlockRef {
            event_type: (!self.event_type.is_empty()).then_some(&self.event_type),
            id: self.sets_id.then_some(&self.last_event_id),
            retry_ms: self.retry_ms,
        }
    }

    /// Ends a block that is skipped: nothing of it counts but its ID.
    pub(super) fn skip(&mut self) {
        if self.sets_id {
            mem::swap(&mut self.last_event_id, &mut self.id);
        }
        self.clear();
    }

    /// Bytes of data so far, with the line ends between and behind whole lines.
    pub(super) fn data_bytes(&self) -> usize {
        self.data.len()
    }

    /// Gives back all data.
    pub(super) fn drop_data(&mut self) {
        self.data = Vec::new();
    }

    /// The event that was dispatched. `data` makes its data, of what is buffered if it is not in the chunk.
    #[inline(always)] // As with giving the event.
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

    /// Returns true if `more` bytes of data, and no more lines, can be added.
    #[inline]
    pub(super) fn check_data(&self, more: usize, limits: &Limits) -> Result<(), ParseError> {
        let limit = limits.max_data_bytes;
        // The LF of the last line is not part of the data: it alone may be beyond the limit.
        let fits = self.data.len() <= limit && more <= limit - self.data.len();
        if fits { Ok(()) } else { Err(ParseError::DataTooLong { limit }) }
    }

    /// Adds a piece of a line of data.
    #[inline]
    pub(super) fn push_data(&mut self, piece: &[u8], limits: &Limits) -> Result<(), ParseError> {
        self.check_data(piece.len(), limits)?;
        self.data.extend_from_slice(piece);
        Ok(())
    }

    /// Ends a line of data of which the pieces have been added.
    pub(super) fn end_data_line(&mut self, limits: &Limits) -> Result<(), ParseError> {
        self.check_data(0, limits)?;
        self.data.push(b'\n');
        Ok(())
    }

    /// Adds a whole line of data with the first byte of its line end, which becomes an LF whatever it is: one copy.
    #[inline]
    pub(super) fn push_data_line(&mut self, line: &[u8], limits: &Limits) -> Result<(), ParseError> {
        self.check_data(line.len() - 1, limits)?;
        self.data.extend_from_slice(line);
        if let Some(end) = self.data.last_mut() {
            *end = b'\n';
        }
        Ok(())
    }

    /// The event type becomes `value`, whatever it was.
    pub(super) fn set_type(&mut self, value: &[u8]) {
        replace(&mut self.event_type, value);
    }

    /// The next last event ID becomes `value`; one with a NUL is no ID.
    pub(super) fn set_id(&mut self, value: &[u8]) {
        if !value.contains(&0) {
            replace(&mut self.id, value);
            self.sets_id = true;
        }
    }

    /// Forgets the ID that the next blank line would have made the last one.
    pub(super) fn drop_id(&mut self) {
        self.sets_id = false;
    }

    pub(super) fn set_retry(&mut self, retry_ms: u64) {
        self.retry_ms = Some(retry_ms);
    }

    /// Drops the block and its buffers; the last event ID stays as it was before it.
    pub(super) fn discard(&mut self) {
        let last_event_id = mem::take(&mut self.last_event_id);
        let Self { without_data, gives_blocks, .. } = *self;
        *self = Self { last_event_id, without_data, gives_blocks, ..Self::default() };
    }

    /// Gives memory back after a large event: at the end of the first chunk that did without it, so that one large
    /// event after another does not make the buffer grow again.
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

/// Returns `bytes` as text: as they are, or if they are not UTF-8, in `repaired`, with U+FFFD for what is not.
#[inline]
pub(super) fn decode<'a>(bytes: &'a [u8], repaired: &'a mut String) -> &'a str {
    from_utf8(bytes).unwrap_or_else(|_| repair(bytes, repaired))
}

/// Puts `bytes` into `repaired`, with U+FFFD for what is not UTF-8.
#[cold]
pub(super) fn repair<'a>(bytes: &[u8], repaired: &'a mut String) -> &'a str {
    *repaired = String::from_utf8_lossy(bytes).into_owned();
    repaired
}

/// Puts `value` into `buffer`, decoded.
fn replace(buffer: &mut String, value: &[u8]) {
    buffer.clear();
    match from_utf8(value) {
        Ok(text) => buffer.push_str(text),
        Err(_) => buffer.push_str(&String::from_utf8_lossy(value)),
    }
}
