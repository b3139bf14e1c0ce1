//! An open event stream: chunks from the network, and what they hold.
use crate::{
    Cause, Clock, MessageEvent, Text, clock::Sleep, message_event::Arrivals, signal::Block, transport::ResponseBody,
    unread::Unread,
};
use fanfare_event_stream::{Chunk, Data, EventRef, Item, ParseError, Parser};
use http_body::Body as _;
use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// The number of chunks without an event that are read before other tasks have their turn.
const CHUNKS_PER_TURN: usize = 64;

/// The things that are wanted beside events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comments {
    /// Nothing.
    Skip,
    /// Blocks that are no events: they may set the last event ID.
    SkipButBlocks,
    /// Blocks and comments.
    Give,
}

/// A thing that a connection gives, one at a time.
pub(crate) enum Read {
    Event(MessageEvent),
    Comment(Text),
    Block(Block),
    Ended(Cause),
    TooLarge(ParseError),
}

pub(crate) struct Connection {
    body: ResponseBody,
    unread: Unread,
    /// Something too large that the parser has met, which is still to be told.
    failed: Option<ParseError>,
    /// The reason why it ended, until that is told.
    ended: Option<Cause>,
    arrivals: Arrivals,
    idle: Option<Idle>,
    /// The end of the response ends an event too.
    finishes: bool,
}

impl Connection {
    pub(crate) fn new(body: ResponseBody, arrivals: Arrivals, idle: Option<Idle>, finishes: bool) -> Self {
        Self { body, unread: Unread::default(), failed: None, ended: None, arrivals, idle, finishes }
    }

    /// Reads on. What the connection ends within is not given, unless that is wanted: an event is one only with the
    /// blank line after it.
    pub(crate) fn poll_read(
        &mut self,
        parser: &mut Parser,
        cx: &mut Context<'_>,
        clock: &dyn Clock,
        comments: Comments,
    ) -> Poll<Read> {
        for _ in 0..CHUNKS_PER_TURN {
            if let Some(read) = self.read_chunk(parser, comments) {
                return Poll::Ready(read);
            }
            if let Some(cause) = self.ended.take() {
                let Some(last) = self.finish(parser, &cause) else { return Poll::Ready(Read::Ended(cause)) };
                self.ended = Some(cause);
                return Poll::Ready(last);
            }
            if self.poll_fill(cx).is_pending() {
                let Some(idle) = &mut self.idle else { return Poll::Pending };
                ready!(idle.poll(cx, clock));
                return Poll::Ready(Read::Ended(Cause::IdleTimeout(idle.timeout)));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The event that the end of the response ends too, once.
    fn finish(&mut self, parser: &mut Parser, cause: &Cause) -> Option<Read> {
        if !mem::take(&mut self.finishes) || !matches!(cause, Cause::EndOfStream) {
            return None;
        }
        match parser.finish() {
            Ok(event) => event.map(|event| Read::Event(self.arrivals.own(in_place(event), &mut self.unread))),
            Err(error) => Some(Read::TooLarge(error)),
        }
    }

    /// Takes the next chunk, once all of the last is read; or what the connection ended for.
    #[inline]
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // What is read must not keep its buffer, which the transport may then use again instead of taking another.
        self.unread = Unread::default();
        match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => {
                // Trailers say nothing to an event stream.
                self.unread = Unread::new(frame.into_data().unwrap_or_default());
                if let Some(idle) = &mut self.idle {
                    idle.since = None;
                }
            }
            Some(Err(error)) => self.ended = Some(Cause::Broken(error.into())),
            None => self.ended = Some(Cause::EndOfStream),
        }
        Poll::Ready(())
    }

    /// Does as [`poll_read`](Self::poll_read), for the next event alone and where silence is no matter: ready with none
    /// if there is something else to be said.
    #[inline]
    pub(crate) fn poll_event(&mut self, parser: &mut Parser, cx: &mut Context<'_>) -> Poll<Option<MessageEvent>> {
        for _ in 0..CHUNKS_PER_TURN {
            if let Some(event) = self.next_at_hand(parser) {
                return Poll::Ready(Some(event));
            }
            if self.failed.is_some() || self.ended.is_some() || self.idle.is_some() {
                break;
            }
            ready!(self.poll_fill(cx));
        }
        Poll::Ready(None)
    }

    /// An event that has come whole already. `None` if there is none, or something is to be said that is no event.
    #[inline(always)] // As with making the event.
    pub(crate) fn next_at_hand(&mut self, parser: &mut Parser) -> Option<MessageEvent> {
        if self.unread.is_empty() {
            return None;
        }
        let mut chunk = Chunk::new(self.unread.rest());
        let event = parser.next_event_in_place(&mut chunk).unwrap_or_else(|error| {
            self.failed = Some(error);
            None
        });
        let read = chunk.consumed();
        let event = event.map(|event| self.arrivals.own(event, &mut self.unread));
        self.unread.advance(read);
        event
    }

    /// The next of what has come; `None` when it is read to its end.
    fn read_chunk(&mut self, parser: &mut Parser, comments: Comments) -> Option<Read> {
        if let Some(error) = self.failed.take() {
            return Some(Read::TooLarge(error));
        }
        while !self.unread.is_empty() {
            let mut chunk = Chunk::new(self.unread.rest());
            let item = match comments {
                Comments::Give | Comments::SkipButBlocks => parser.next_item_in_place(&mut chunk),
                Comments::Skip => parser.next_event_in_place(&mut chunk).map(|event| event.map(Item::Event)),
            };
            let read = chunk.consumed();
            let item = match item {
                Ok(Some(Item::Event(event))) => Some(Read::Event(self.arrivals.own(event, &mut self.unread))),
                Ok(Some(Item::Comment(text))) => (comments == Comments::Give).then(|| Read::Comment(text.into())),
                Ok(Some(Item::Block(block))) => Some(Read::Block(block.into())),
                Ok(None) => None,
                Err(error) => Some(Read::TooLarge(error)),
            };
            self.unread.advance(read);
            if item.is_some() {
                return item;
            }
        }
        None
    }
}

/// An event of which the chunk is gone.
fn in_place(event: EventRef<'_>) -> EventRef<'_, Data<'_>> {
    let EventRef { event_type, data, last_event_id, sets_id, retry_ms } = event;
    EventRef { event_type, data: Data::Joined(data), last_event_id, sets_id, retry_ms }
}

/// Notices silence, with one timer for any number of chunks.
pub(crate) struct Idle {
    timeout: Duration,
    /// Since when a chunk is waited for. Not since the last came: while nobody asks for events, what would bring them
    /// may stand still too.
    since: Option<Duration>,
    sleep: Sleep,
}

impl Idle {
    pub(crate) fn new(timeout: Duration, clock: &dyn Clock) -> Self {
        Self { timeout, since: None, sleep: clock.sleep(timeout) }
    }

    /// Ready when nothing has come for the timeout.
    fn poll(&mut self, cx: &mut Context<'_>, clock: &dyn Clock) -> Poll<()> {
        let since = *self.since.get_or_insert_with(|| clock.now());
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            let silent = clock.now().saturating_sub(since);
            if silent >= self.timeout {
                return Poll::Ready(());
            }
            self.sleep = clock.sleep(self.timeout - silent);
        }
    }
}
