//! An open event stream: chunks from the network, and what they hold.
use crate::{Cause, Clock, MessageEvent, Text, clock::Sleep, message_event::Arrivals, transport::ResponseBody};
use bytes::{Buf as _, Bytes};
use fanfare_event_stream::{Chunk, Item, ParseError, Parser};
use http_body::Body as _;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

/// How many chunks without an event are read before other tasks have their turn.
const CHUNKS_PER_TURN: usize = 64;

/// Whether comments are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comments {
    Skip,
    Give,
}

/// What a connection gives.
pub(crate) enum Read {
    Event(MessageEvent),
    Comment(Text),
    Ended(Cause),
    TooLarge(ParseError),
}

pub(crate) struct Connection {
    body: ResponseBody,
    /// What has come and is not read yet.
    chunk: Bytes,
    arrivals: Arrivals,
    idle: Option<Idle>,
}

impl Connection {
    pub(crate) fn new(body: ResponseBody, arrivals: Arrivals, idle: Option<Idle>) -> Self {
        Self { body, chunk: Bytes::new(), arrivals, idle }
    }

    /// Reads on. What the connection ends within is not given: an event is one only with the blank line after it.
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
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers say nothing to an event stream.
                    self.chunk = frame.into_data().unwrap_or_default();
                    if let Some(idle) = &mut self.idle {
                        idle.since = None;
                    }
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Read::Ended(Cause::Transport(error.into()))),
                Poll::Ready(None) => return Poll::Ready(Read::Ended(Cause::EndOfStream)),
                Poll::Pending => {
                    let Some(idle) = &mut self.idle else { return Poll::Pending };
                    ready!(idle.poll(cx, clock));
                    return Poll::Ready(Read::Ended(Cause::IdleTimeout(idle.timeout)));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// The next of what the chunk holds; `None` when it is read to its end.
    fn read_chunk(&mut self, parser: &mut Parser, comments: Comments) -> Option<Read> {
        let mut chunk = Chunk::new(&self.chunk);
        let item = match comments {
            Comments::Give => parser.next_item(&mut chunk),
            Comments::Skip => parser.next_event(&mut chunk).map(|event| event.map(Item::Event)),
        };
        let read = match item {
            Ok(Some(Item::Event(event))) => Some(Read::Event(self.arrivals.own(&event, &self.chunk))),
            Ok(Some(Item::Comment(text))) => Some(Read::Comment(text.into())),
            Ok(None) => None,
            Err(error) => Some(Read::TooLarge(error)),
        };
        let consumed = chunk.consumed();
        self.chunk.advance(consumed);
        read
    }
}

/// Notices silence, with one timer for any number of chunks.
pub(crate) struct Idle {
    timeout: Duration,
    /// Since when a chunk is waited for. Not since the last came: while nobody asks for events, what would bring them may
    /// stand still too.
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
