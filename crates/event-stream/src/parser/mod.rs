//! The incremental parser of [WHATWG HTML, 9.2.5 and
//! 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
//!
//! The module `read` goes through a chunk, and reads each line that is complete in the chunk. The module `line` reads a
//! line that is divided between chunks, piece by piece. However a line is divided, the events and the errors are the
//! same. The module `field` puts the values of fields into the buffers, which are in `block`. The module `skip` skips
//! blocks that are too large.
mod block;
mod chunk;
mod field;
mod line;
mod read;
mod skip;

pub use chunk::Chunk;

use crate::{BlockRef, Data, EventId, EventRef, Limits, ParseError};
use alloc::vec::Vec;
use block::{Block, Buffered, decode};
use core::{ops::Range, time::Duration};
use field::Digits;
use line::Line;
use skip::Skipping;

/// Reads an event stream chunk by chunk, whatever the size of the chunks, and returns one event at a time.
///
/// The only error is that a [limit](Limits) is exceeded. Events before the error are returned first. The error is
/// final: every later call returns the same error, until [`reset`](Self::reset) is called, unless the parser [skips
/// events that are too large](Self::with_large_events_skipped).
#[derive(Clone, Debug)]
pub struct Parser {
    limits: Limits,
    line: Line,
    /// The number of bytes of the current line that have been read, if this line is divided between chunks.
    line_bytes: usize,
    /// The value of the current line, if the line is not data. After a comment has ended, the text of this comment.
    value: Vec<u8>,
    digits: Digits,
    block: Block,
    reconnection_time: Option<Duration>,
    /// True if a comment was read since the last call of [`Parser::take_commented`].
    has_commented: bool,
    /// True if a block that is too large is skipped. If false, the parser returns an error for such a block, and reads
    /// nothing after it.
    skips: bool,
    /// The block that is being skipped.
    skipping: Option<Skipping>,
    skipped_bytes: u64,
}

/// An item that [`Parser::next_item`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a, D = &'a str> {
    /// An event.
    Event(EventRef<'a, D>),
    /// A comment line: the text after the colon, without one leading space.
    Comment(&'a str),
    /// A block without data, which is not an event. It is returned only if [`Parser::with_blocks`] was called.
    Block(BlockRef<'a>),
}

/// The result of one parsing step.
enum Step {
    /// An event was read; its data is at this range of the chunk.
    InChunk(Range<usize>),
    /// An event was read; its data is in the block's buffer.
    Joined,
    /// A comment was read; it is in `value`.
    Comment,
    /// A block that is not an event was read.
    Block,
    /// A block that was too large was skipped.
    Skipped,
    ChunkRead,
}

impl Default for Parser {
    fn default() -> Self {
        Self::with_limits(Limits::default())
    }
}

impl Parser {
    /// Returns a parser at the start of a stream, with the default [`Limits`] and no last event ID.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a parser at the start of a stream, with no last event ID.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            line: Line::ByteOrderMark(0),
            line_bytes: 0,
            value: Vec::new(),
            digits: Digits::default(),
            block: Block::default(),
            reconnection_time: None,
            has_commented: false,
            skips: false,
            skipping: None,
            skipped_bytes: 0,
        }
    }

    /// Sets `id` as the last event ID. Events have this last event ID until a block sets another one.
    #[must_use]
    pub fn resuming_from(mut self, id: &EventId) -> Self {
        self.block.last_event_id = id.as_str().into();
        self
    }

    /// Makes the parser return a block that has an event type or an ID, but no data, as an event with empty data. The
    /// standard drops such a block
    /// ([9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#dispatchMessage), step 2), but some
    /// servers send a message by an event type alone.
    #[must_use]
    pub fn with_events_without_data(mut self) -> Self {
        self.block.without_data = true;
        self
    }

    /// Makes [`next_item`](Self::next_item) also return blocks without data, as [`Item::Block`]. Blocks without data
    /// are not events, but may set the last event ID or the reconnection time. A program that forwards a stream needs
    /// these blocks in order to lose nothing.
    #[must_use]
    pub fn with_blocks(mut self) -> Self {
        self.block.gives_blocks = true;
        self
    }

    /// Makes the parser skip an event that is larger than the [`Limits`] allow. The [`ParseError`] is returned once,
    /// when the blank line after the event has arrived; the next call continues after that line. After the error,
    /// [`skipped_bytes`](Self::skipped_bytes) returns the size of the data, ID, type or line that was too large. The ID
    /// of a skipped event becomes the last event ID, so that a client does not ask for the event again.
    #[must_use]
    pub fn with_large_events_skipped(mut self) -> Self {
        self.skips = true;
        self
    }

    /// Returns the size in bytes of the data, ID, type or line that was too large in the last skipped event.
    #[must_use]
    pub fn skipped_bytes(&self) -> u64 {
        self.skipped_bytes
    }

    /// Returns true if a comment was read since the last call of this method.
    pub fn take_commented(&mut self) -> bool {
        core::mem::take(&mut self.has_commented)
    }

    /// Returns the last event ID: the value of the last `id` field before the last blank line, or the ID that was set
    /// at the start. It never contains CR, LF or NUL.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.block.last_event_id
    }

    /// Returns the reconnection time that the last valid `retry` field set. The time takes effect as soon as the line
    /// of this field has ended, whatever follows in its block.
    #[must_use]
    pub fn reconnection_time(&self) -> Option<Duration> {
        self.reconnection_time
    }

    /// Prepares the parser for the start of another stream: forgets an incomplete event, its ID, and an error. The last
    /// event ID and the reconnection time stay.
    pub fn reset(&mut self) {
        self.discard();
        self.line = Line::ByteOrderMark(0);
    }

    /// Returns the next event of the stream, or `None` when `chunk` is read to its end. An event is returned as soon as
    /// the blank line after it has arrived: a CR at the end of a chunk is enough.
    ///
    /// # Errors
    /// [`ParseError`] if something in the stream is larger than the [`Limits`] allow.
    #[inline(always)] // For small events a call that builds the event in memory costs as much as reading it.
    pub fn next_event<'a, 'c: 'a>(&'a mut self, chunk: &mut Chunk<'c>) -> Result<Option<EventRef<'a>>, ParseError> {
        loop {
            return Ok(Some(match self.next_step::<false>(chunk)? {
                Step::InChunk(at) => self.block.event(|buffered| chunk.text(at, buffered.repaired)),
                Step::Joined => self.block.event(Buffered::text),
                Step::ChunkRead => return Ok(None),
                // The caller wants only events, so comments and blocks that are not events are passed over.
                Step::Comment | Step::Block | Step::Skipped => continue,
            }));
        }
    }

    /// Does the same as [`next_event`](Self::next_event), but if the data is one complete line of the chunk, the event
    /// only says where in the chunk the data is ([`Data::InChunk`]). This data is not decoded. The method is for
    /// programs that share the memory of the chunk instead of borrowing from it.
    ///
    /// ```
    /// use fanfare_event_stream::{Chunk, Data, Parser};
    ///
    /// let (mut parser, bytes) = (Parser::new(), b"data: a\n\ndata: b\ndata: c\n\n");
    /// let mut chunk = Chunk::new(bytes);
    /// let event = parser.next_event_in_place(&mut chunk)?.expect("an event");
    /// assert_eq!(event.data, Data::InChunk(6..7));
    /// let event = parser.next_event_in_place(&mut chunk)?.expect("an event");
    /// assert_eq!(event.data, Data::Joined("b\nc"));
    /// # Ok::<(), fanfare_event_stream::ParseError>(())
    /// ```
    ///
    /// # Errors
    /// [`ParseError`] if something in the stream is larger than the [`Limits`] allow.
    #[inline(always)] // For the reason that `next_event` gives.
    pub fn next_event_in_place(&mut self, chunk: &mut Chunk<'_>) -> Result<Option<EventRef<'_, Data<'_>>>, ParseError> {
        loop {
            return Ok(Some(match self.next_step::<false>(chunk)? {
                Step::InChunk(at) => self.block.event(|_| Data::InChunk(at)),
                Step::Joined => self.block.event(|buffered| Data::Joined(buffered.text())),
                Step::ChunkRead => return Ok(None),
                // The caller wants only events, so comments and blocks that are not events are passed over.
                Step::Comment | Step::Block | Step::Skipped => continue,
            }));
        }
    }

    /// Does the same as [`next_event`](Self::next_event), but returns comments too, and blocks without data if
    /// [`with_blocks`](Self::with_blocks) was called. A comment inside a block is returned before the block's event. Do
    /// not use `next_item` and `next_event` for the same stream: `next_item` returns only the end of a comment that
    /// `next_event` has begun to skip.
    ///
    /// # Errors
    /// [`ParseError`] if something in the stream is larger than the [`Limits`] allow.
    #[inline(always)] // For the reason that `next_event` gives.
    pub fn next_item<'a, 'c: 'a>(&'a mut self, chunk: &mut Chunk<'c>) -> Result<Option<Item<'a>>, ParseError> {
        Ok(Some(match self.next_step::<true>(chunk)? {
            Step::InChunk(at) => Item::Event(self.block.event(|buffered| chunk.text(at, buffered.repaired))),
            Step::Joined => Item::Event(self.block.event(Buffered::text)),
            Step::Comment => Item::Comment(self.comment()),
            Step::Block => Item::Block(self.block.block()),
            Step::ChunkRead | Step::Skipped => return Ok(None),
        }))
    }

    /// Does the same as [`next_item`](Self::next_item), but if the data of an event is one complete line of the chunk,
    /// the event only says where in the chunk the data is, as for [`next_event_in_place`](Self::next_event_in_place).
    ///
    /// # Errors
    /// [`ParseError`] if something in the stream is larger than the [`Limits`] allow.
    pub fn next_item_in_place(&mut self, chunk: &mut Chunk<'_>) -> Result<Option<Item<'_, Data<'_>>>, ParseError> {
        Ok(Some(match self.next_step::<true>(chunk)? {
            Step::InChunk(at) => Item::Event(self.block.event(|_| Data::InChunk(at))),
            Step::Joined => Item::Event(self.block.event(|buffered| Data::Joined(buffered.text()))),
            Step::Comment => Item::Comment(self.comment()),
            Step::Block => Item::Block(self.block.block()),
            Step::ChunkRead | Step::Skipped => return Ok(None),
        }))
    }

    /// Returns the comment that was read last.
    fn comment(&mut self) -> &str {
        decode(&self.value, &mut self.block.repaired)
    }

    /// Reads up to the next result for the caller. When a block that is too large has been skipped, the result is the
    /// error for this block.
    #[inline(always)] // For the reason that `next_event` gives.
    fn next_step<const COMMENTS: bool>(&mut self, chunk: &mut Chunk<'_>) -> Result<Step, ParseError> {
        loop {
            match self.read::<COMMENTS>(chunk) {
                Ok(Step::Skipped) => return Err(self.skipped()),
                Err(error) => self.fail(error)?,
                step => return step,
            }
        }
    }

    /// Returns the last event of a stream that has ended without a blank line after this event. The standard drops such
    /// an event; this method is for servers that omit the line. Call it when the last chunk was read to its end.
    ///
    /// Such an event may be incomplete. So its ID is ignored, and [`last_event_id`](Self::last_event_id) does not
    /// change: a client that resumed after this ID would never get the rest of the event. If the last line has no line
    /// end, this line may be incomplete, too. An incomplete line of data is used as it has arrived. An incomplete event
    /// type or reconnection time is ignored, because it would be read as a wrong type or time.
    ///
    /// # Errors
    /// [`ParseError`] if the last event is larger than the [`Limits`] allow.
    pub fn finish(&mut self) -> Result<Option<EventRef<'_>>, ParseError> {
        self.block.begin();
        if let Line::Failed(error) = self.line {
            return Err(error);
        }
        if let Line::Name(_) | Line::AfterColon(_) | Line::Value(_) = self.line
            && !self.line.is_data()
        {
            self.line = self.line_start();
        }
        if let Err(error) = self.finish_line() {
            self.fail(error)?;
        }
        self.line = Line::Start;
        self.block.drop_id();
        if self.skipping.is_some() {
            self.end_skipping();
            return Err(self.skipped());
        }
        let is_event = self.block.dispatch(false);
        Ok(is_event.then(|| self.block.event(Buffered::text)))
    }

    /// Handles the error that the stream has exceeded a limit. If `skips` is true, begins to skip the block, and
    /// returns `Ok`. Otherwise drops everything that is buffered, and returns the error.
    #[cold]
    fn fail(&mut self, error: ParseError) -> Result<(), ParseError> {
        if self.skips {
            self.skip(error);
            return Ok(());
        }
        self.discard();
        self.line = Line::Failed(error);
        Err(error)
    }

    /// Forgets the current block, and releases all memory except the memory of the last event ID.
    fn discard(&mut self) {
        self.skipping = None;
        self.block.discard();
        self.value = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Parser {
        fn held_bytes(&self) -> usize {
            self.block.held_bytes() + self.value.capacity()
        }
    }

    /// Reads `stream` in chunks, and returns the most memory that was held after any of them.
    fn read(parser: &mut Parser, stream: &[u8], chunk_bytes: usize) -> (usize, Result<(), ParseError>) {
        let mut most = 0;
        for piece in stream.chunks(chunk_bytes) {
            let mut chunk = Chunk::new(piece);
            loop {
                match parser.next_item(&mut chunk) {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) => return (most, Err(error)),
                }
            }
            most = most.max(parser.held_bytes());
        }
        (most, Ok(()))
    }

    fn line(name: &str, value_bytes: usize, end: &str) -> Vec<u8> {
        [name.as_bytes(), &b"x".repeat(value_bytes), end.as_bytes()].concat()
    }

    /// After a large event the buffer is kept for the next one, and released when a chunk did not need it.
    #[test]
    fn memory_is_given_back_after_something_large() {
        for huge in [line("data:", 1 << 20, "\n\n"), line("data:\ndata:", 1 << 20, "\r\r"), line(":", 1 << 20, "\n")] {
            let mut parser = Parser::new();
            for _ in 0..3 {
                let (most, result) = read(&mut parser, &huge, 16 << 10);
                assert_eq!(result, Ok(()));
                assert!(most >= 1 << 20);
            }
            assert_eq!(read(&mut parser, b":\n", 2).1, Ok(()));
            let bound = block::RETAINED_BYTES + (1 << 10);
            assert!(parser.held_bytes() < bound, "{} bytes are held after {:?}", parser.held_bytes(), &huge[..9]);
        }
    }

    #[test]
    fn a_buffer_that_is_used_again_is_kept() {
        let huge = line("data:\ndata:", 1 << 20, "\n\n");
        for chunk_bytes in [16 << 10, 2 << 20] {
            let mut parser = Parser::new();
            for _ in 0..3 {
                assert_eq!(read(&mut parser, &huge, chunk_bytes).1, Ok(()));
                assert!(parser.held_bytes() >= 1 << 20, "in chunks of {chunk_bytes}");
            }
        }
    }

    #[test]
    fn what_is_held_stays_within_the_limits() {
        let limits = Limits {
            max_data_bytes: 100 << 10,
            max_id_bytes: 1 << 10,
            max_type_bytes: 1 << 10,
            max_line_bytes: 1 << 10,
        };
        // A buffer that grows by doubling may be twice as large as needed.
        let bound = 2 * (102 << 10);
        for endless in [
            line("data:", 1 << 20, ""),
            b"data:x\n".repeat(1 << 17),
            line("id:", 1 << 20, ""),
            line("event:", 1 << 20, ""),
        ] {
            for chunk_bytes in [1000, 1 << 20] {
                let mut parser = Parser::with_limits(limits);
                let (most, result) = read(&mut parser, &endless, chunk_bytes);
                assert!(result.is_err());
                assert!(most <= bound);
                assert!(parser.held_bytes() < 1 << 10, "a failed parser holds nothing");
            }
        }
        for skipped in [b":\n".repeat(1 << 19), b"other:x\n".repeat(1 << 17), b"retry:1\n".repeat(1 << 17)] {
            let mut parser = Parser::with_limits(limits);
            assert_eq!(read(&mut parser, &skipped, 1000).1, Ok(()));
            assert!(parser.held_bytes() < 1 << 10);
        }
    }
}
