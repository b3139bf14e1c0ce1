//! The incremental parser of [WHATWG HTML, 9.2.5 and
//! 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
//!
//! `read` goes through a chunk. A line that is whole in its chunk is read where it is; a line that is cut goes piece by
//! piece through the state in `line`. Both give the same, byte for byte and error for error. What a `field` says ends
//! up in the buffers of `block`.
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

/// Reads an event stream chunk by chunk, however it is cut, one event at a time.
///
/// The only errors are [`Limits`] exceeded. They are final: every later call returns the same, until
/// [`reset`](Self::reset), unless [such events are skipped](Self::with_large_events_skipped). What comes before it is
/// given first.
#[derive(Clone, Debug)]
pub struct Parser {
    limits: Limits,
    line: Line,
    /// Bytes of the begun line so far.
    line_bytes: usize,
    /// The value of the begun line, unless it is data; or the comment that was read last.
    value: Vec<u8>,
    digits: Digits,
    block: Block,
    reconnection_time: Option<Duration>,
    /// A comment was read.
    has_commented: bool,
    /// A block that is too large is skipped.
    skips: bool,
    /// The block that is being skipped.
    skipping: Option<Skipping>,
    skipped_bytes: u64,
}

/// An item that [`Parser::next_item`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a, D = &'a str> {
    /// An event.
    Event(EventRef<'a, D>),
    /// A comment line: what follows the colon, without one leading space.
    Comment(&'a str),
    /// A block without data, which is no event. Only with [`Parser::with_blocks`].
    Block(BlockRef<'a>),
}

/// The end of a step.
enum Step {
    /// An event, whose data is at this range of the chunk.
    InChunk(Range<usize>),
    /// An event, whose data is in the block's buffer.
    Joined,
    /// A comment, which is in `value`.
    Comment,
    /// A block that is not an event.
    Block,
    /// A block that was too large.
    Skipped,
    ChunkRead,
}

impl Default for Parser {
    fn default() -> Self {
        Self::with_limits(Limits::default())
    }
}

impl Parser {
    /// A parser at the start of a stream, with the default [`Limits`] and no last event ID.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A parser at the start of a stream, with no last event ID.
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

    /// Starts from `id` as the last event ID, which events keep until one sets another.
    #[must_use]
    pub fn resuming_from(mut self, id: &EventId) -> Self {
        self.block.last_event_id = id.as_str().into();
        self
    }

    /// Gives a block that has an event type or an ID, but no data, as an event with empty data. The standard drops it
    /// ([9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#dispatchMessage), step 2), but some
    /// servers say things by an event type alone.
    #[must_use]
    pub fn with_events_without_data(mut self) -> Self {
        self.block.without_data = true;
        self
    }

    /// Gives blocks without data too, which are no events, but may set the last event ID or the reconnection time: as
    /// [`Item::Block`], by [`next_item`](Self::next_item). For who passes a stream on and wants to lose nothing of it.
    #[must_use]
    pub fn with_blocks(mut self) -> Self {
        self.block.gives_blocks = true;
        self
    }

    /// Skips an event that is larger than the [`Limits`] allow. The error is returned once, when the blank line behind
    /// it has come; the next call goes on after that. [`skipped_bytes`](Self::skipped_bytes) says how much it was. Its
    /// ID counts all the same, so that nobody asks for it again.
    #[must_use]
    pub fn with_large_events_skipped(mut self) -> Self {
        self.skips = true;
        self
    }

    /// Returns the number of bytes that the data, ID, type or line had for which the last event was skipped.
    #[must_use]
    pub fn skipped_bytes(&self) -> u64 {
        self.skipped_bytes
    }

    /// Returns true if a comment was read since this was last asked.
    pub fn take_commented(&mut self) -> bool {
        core::mem::take(&mut self.has_commented)
    }

    /// The last event ID: what the last `id` field before the last blank line said, or what the parser started from. It
    /// never holds CR, LF or NUL.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.block.last_event_id
    }

    /// The reconnection time that the last valid `retry` field set; in force from that line on, whatever follows it.
    #[must_use]
    pub fn reconnection_time(&self) -> Option<Duration> {
        self.reconnection_time
    }

    /// Makes ready for the start of another stream: forgets the begun event, its ID and an error. The last event ID and
    /// the reconnection time stay.
    pub fn reset(&mut self) {
        self.discard();
        self.line = Line::ByteOrderMark(0);
    }

    /// The next event of the stream, or `None` when `chunk` is read to its end. An event is given as soon as the blank
    /// line after it is there: a CR at the end of a chunk is enough.
    ///
    /// # Errors
    /// Something in the stream is larger than the [`Limits`] allow.
    #[inline(always)] // For small events a call that builds the event in memory costs as much as reading it.
    pub fn next_event<'a, 'c: 'a>(&'a mut self, chunk: &mut Chunk<'c>) -> Result<Option<EventRef<'a>>, ParseError> {
        loop {
            return Ok(Some(match self.next_step::<false>(chunk)? {
                Step::InChunk(at) => self.block.event(|buffered| chunk.text(at, buffered.repaired)),
                Step::Joined => self.block.event(Buffered::text),
                Step::ChunkRead => return Ok(None),
                // Nobody asked for them.
                Step::Comment | Step::Block | Step::Skipped => continue,
            }));
        }
    }

    /// Does what [`next_event`](Self::next_event) does, but leaves data that is whole in the chunk where it is, and does
    /// not decode it. For programs that share the memory of the chunk, instead of borrowing from it.
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
    /// Something in the stream is larger than the [`Limits`] allow.
    #[inline(always)] // As above.
    pub fn next_event_in_place(&mut self, chunk: &mut Chunk<'_>) -> Result<Option<EventRef<'_, Data<'_>>>, ParseError> {
        loop {
            return Ok(Some(match self.next_step::<false>(chunk)? {
                Step::InChunk(at) => self.block.event(|_| Data::InChunk(at)),
                Step::Joined => self.block.event(|buffered| Data::Joined(buffered.text())),
                Step::ChunkRead => return Ok(None),
                // As above.
                Step::Comment | Step::Block | Step::Skipped => continue,
            }));
        }
    }

    /// Does what [`next_event`](Self::next_event) does, but gives comments too. A comment within a block comes before
    /// its event. Use one of the two for the whole of a stream: a comment that `next_event` has begun to skip is not
    /// given whole.
    ///
    /// # Errors
    /// Something in the stream is larger than the [`Limits`] allow.
    #[inline(always)] // As above.
    pub fn next_item<'a, 'c: 'a>(&'a mut self, chunk: &mut Chunk<'c>) -> Result<Option<Item<'a>>, ParseError> {
        Ok(Some(match self.next_step::<true>(chunk)? {
            Step::InChunk(at) => Item::Event(self.block.event(|buffered| chunk.text(at, buffered.repaired))),
            Step::Joined => Item::Event(self.block.event(Buffered::text)),
            Step::Comment => Item::Comment(self.comment()),
            Step::Block => Item::Block(self.block.block()),
            Step::ChunkRead | Step::Skipped => return Ok(None),
        }))
    }

    /// Does what [`next_item`](Self::next_item) does, but leaves data where it is, as
    /// [`next_event_in_place`](Self::next_event_in_place) does.
    ///
    /// # Errors
    /// Something in the stream is larger than the [`Limits`] allow.
    pub fn next_item_in_place(&mut self, chunk: &mut Chunk<'_>) -> Result<Option<Item<'_, Data<'_>>>, ParseError> {
        Ok(Some(match self.next_step::<true>(chunk)? {
            Step::InChunk(at) => Item::Event(self.block.event(|_| Data::InChunk(at))),
            Step::Joined => Item::Event(self.block.event(|buffered| Data::Joined(buffered.text()))),
            Step::Comment => Item::Comment(self.comment()),
            Step::Block => Item::Block(self.block.block()),
            Step::ChunkRead | Step::Skipped => return Ok(None),
        }))
    }

    /// The comment that was read last.
    fn comment(&mut self) -> &str {
        decode(&self.value, &mut self.block.repaired)
    }

    /// Reads on. A block that was skipped is an error, which is told once.
    #[inline(always)] // As above.
    fn next_step<const COMMENTS: bool>(&mut self, chunk: &mut Chunk<'_>) -> Result<Step, ParseError> {
        loop {
            match self.read::<COMMENTS>(chunk) {
                Ok(Step::Skipped) => return Err(self.skipped()),
                Err(error) => self.fail(error)?,
                step => return step,
            }
        }
    }

    /// Takes the end of the stream for the end of its last event, although the standard drops what no blank line
    /// follows: for servers that leave it out. Call it once the last chunk is read.
    ///
    /// Such an event may be cut. Its ID does not count, and [`last_event_id`](Self::last_event_id) stays: a client that
    /// resumed behind it would never get the rest. A last line without a line end may be cut, too. Data counts as far
    /// as it came; an event type or a reconnection time does not, since a part of one is another one.
    ///
    /// # Errors
    /// The last event is larger than the [`Limits`] allow.
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

    /// The stream is beyond a limit: the block is skipped, if that is wanted; else nothing of the stream counts any
    /// more.
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

    /// Forgets the begun block and gives all memory back but that of the last event ID.
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

    /// Reads `stream` in chunks, and says the most that was held after any of them.
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

    /// After something large the buffer is kept for more of the same, and given back when a chunk has done without it.
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
        // A buffer that grows by doubling may have twice the room that it needs.
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
