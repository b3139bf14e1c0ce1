//! An open event stream: a chunk, and what it holds.
use crate::{MessageEvent, Text, message_event::Arrivals, signal::Block, unread::Unread};
use bytes::Bytes;
use fanfare_event_stream::{Data, EventRef, Item, ParseError, Parser};
use std::time::Duration;

/// The things that are wanted beside events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comments {
    /// Nothing.
    Skip,
    /// Blocks that are not events: they may set the last event ID.
    SkipButBlocks,
    /// Blocks and comments.
    Give,
}

/// A thing that a stream gives, one at a time.
pub(super) enum Read {
    Event(MessageEvent),
    Comment(Text),
    Block(Block),
    TooLarge(ParseError),
}

pub(super) struct Reading {
    unread: Unread,
    arrivals: Arrivals,
    /// Something too large that the parser has met, which is still to be told.
    failed: Option<ParseError>,
    /// The time since which a chunk is waited for. Not since the last came: while nobody asks for events, what would
    /// bring them may stand still too.
    pub(super) silent_since: Option<Duration>,
}

impl Reading {
    pub(super) fn new(arrivals: Arrivals) -> Self {
        Self { unread: Unread::default(), arrivals, failed: None, silent_since: None }
    }

    /// Takes the next chunk, once all of the last is read.
    #[inline]
    pub(super) fn receive(&mut self, chunk: Bytes) {
        debug_assert!(self.unread.is_empty(), "a chunk is read before the next comes");
        self.unread = Unread::new(chunk);
        self.silent_since = None;
    }

    /// Frees the chunk that is read: the transport may then use its memory again, instead of taking other.
    #[inline]
    pub(super) fn free(&mut self) {
        debug_assert!(self.unread.is_empty(), "a chunk is freed before it is read");
        self.unread = Unread::default();
    }

    /// True if there is nothing to tell before the next chunk.
    pub(super) fn is_empty(&self) -> bool {
        self.unread.is_empty() && self.failed.is_none()
    }

    /// An event that has come whole already. `None` if there is none, or something else is to be told.
    #[inline(always)] // As with making the event.
    pub(super) fn event_at_hand(&mut self, parser: &mut Parser) -> Option<MessageEvent> {
        if self.unread.is_empty() {
            return None;
        }
        let mut chunk = self.unread.chunk();
        let event = match parser.next_event_in_place(&mut chunk) {
            Ok(event) => event,
            Err(error) => {
                self.failed = Some(error);
                None
            }
        };
        let position = chunk.consumed();
        self.unread.set_position(position);
        Some(self.arrivals.own(event?, &mut self.unread))
    }

    /// The next of what has come; `None` when it is read to its end.
    pub(super) fn next(&mut self, parser: &mut Parser, comments: Comments) -> Option<Read> {
        if let Some(error) = self.failed.take() {
            return Some(Read::TooLarge(error));
        }
        while !self.unread.is_empty() {
            let mut chunk = self.unread.chunk();
            let item = match comments {
                Comments::Give | Comments::SkipButBlocks => parser.next_item_in_place(&mut chunk),
                Comments::Skip => parser.next_event_in_place(&mut chunk).map(|event| event.map(Item::Event)),
            };
            let position = chunk.consumed();
            self.unread.set_position(position);
            let item = match item {
                Ok(Some(Item::Event(event))) => Some(Read::Event(self.arrivals.own(event, &mut self.unread))),
                Ok(Some(Item::Comment(text))) => (comments == Comments::Give).then(|| Read::Comment(text.into())),
                Ok(Some(Item::Block(block))) => Some(Read::Block(block.into())),
                Ok(None) => None,
                Err(error) => Some(Read::TooLarge(error)),
            };
            if item.is_some() {
                return item;
            }
        }
        None
    }

    /// The event that the end of the response ends too.
    pub(super) fn finish(&mut self, parser: &mut Parser) -> Option<Read> {
        match parser.finish() {
            Ok(None) => None,
            Ok(Some(EventRef { event_type, data, last_event_id, sets_id, retry_ms })) => {
                let event = EventRef { event_type, data: Data::Joined(data), last_event_id, sets_id, retry_ms };
                Some(Read::Event(self.arrivals.own(event, &mut self.unread)))
            }
            Err(error) => Some(Read::TooLarge(error)),
        }
    }
}
