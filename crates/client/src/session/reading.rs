//! The reader of an open event stream, with its present chunk.
use crate::{MessageEvent, Text, message_event::Arrivals, signal::Block, unread::Unread};
use bytes::Bytes;
use fanfare_event_stream::{Data, EventRef, Item, ParseError, Parser};
use std::time::Duration;

/// The items besides events that a reader wants.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comments {
    /// The reader wants only events.
    Skip,
    /// The reader wants no comments, but also wants blocks that are not events: they may set the last event ID.
    SkipButBlocks,
    /// The reader wants blocks and comments.
    Give,
}

/// One item of a stream.
pub(super) enum Read {
    Event(MessageEvent),
    Comment(Text),
    Block(Block),
    TooLarge(ParseError),
}

pub(super) struct Reading {
    unread: Unread,
    arrivals: Arrivals,
    /// The error of an event that is too large, if the parser has found one that was not reported yet.
    failed: Option<ParseError>,
    /// The moment since which the program waits for a chunk; `None` if it does not wait. It is not the moment when the
    /// last chunk came: the time in which the program does not ask for events does not count as silence of the server.
    pub(super) silent_since: Option<Duration>,
}

impl Reading {
    pub(super) fn new(arrivals: Arrivals) -> Self {
        Self { unread: Unread::default(), arrivals, failed: None, silent_since: None }
    }

    /// Takes the next chunk. The chunk before must have been read to its end.
    #[inline]
    pub(super) fn receive(&mut self, chunk: Bytes) {
        debug_assert!(self.unread.is_empty(), "a chunk came before the previous one was read to its end");
        self.unread = Unread::new(chunk);
        self.silent_since = None;
    }

    /// Frees the chunk that was read, so that the transport can use its memory again instead of allocating more.
    #[inline]
    pub(super) fn free(&mut self) {
        debug_assert!(self.unread.is_empty(), "a chunk is freed before it was read to its end");
        self.unread = Unread::default();
    }

    /// Returns true if the chunk is read to its end and no error waits to be reported, so that the next chunk may be
    /// received.
    pub(super) fn is_empty(&self) -> bool {
        self.unread.is_empty() && self.failed.is_none()
    }

    /// Returns an event that has arrived completely. `None` if there is none, or if something else has to be reported
    /// first.
    #[inline(always)] // For the reason that `Arrivals::own` gives.
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

    /// Returns the next item of the chunk; `None` when the chunk is read to its end.
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

    /// Returns the unfinished event that the end of the response cut off, if there is one.
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
