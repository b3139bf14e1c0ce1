//! The parts of tests of the client: a runtime with an end, a clock that stands, and what is expected next.
use crate::{connection::Connection, server::Server};
use fanfare_client::{
    Builder, Cause, Error, EventSource, ManualClock, MessageEvent, Opened, Reconnect, Signal, Signals,
};
use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{Either, select},
};
use std::{future::Future, pin::pin, time::Duration};

/// Longer than any test takes: one that hangs ends by this.
const TEST_TIME: Duration = Duration::from_secs(60);

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Runs a test on a runtime of its own.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(TEST_TIME, test).await.expect("the test ends in time") })
}

/// An event source of `server`, by a clock that stands and with the same jitter each time.
pub(crate) fn source(server: &Server, clock: &ManualClock) -> Builder {
    source_of(&server.url("/events"), clock)
}

pub(crate) fn source_of(url: &str, clock: &ManualClock) -> Builder {
    EventSource::builder(url).clock(clock.clone()).reconnect(Reconnect::spec().seed(1))
}

/// Does what [`source`] does, for tests that want to see everything.
pub(crate) fn signals(server: &Server, clock: &ManualClock) -> Signals {
    source(server, clock).build().expect("it can be built").signals()
}

/// The next event, and nothing else.
pub(crate) async fn event(source: &mut EventSource) -> MessageEvent {
    source.next().await.expect("the stream goes on").expect("an event")
}

/// Takes the next signal as what it is expected to be.
pub(crate) trait Expect {
    async fn signal(&mut self) -> Signal;
    async fn opened(&mut self) -> Opened;
    async fn event(&mut self) -> MessageEvent;
    async fn reconnecting(&mut self) -> (Cause, Duration);
    async fn error(&mut self) -> Error;
    /// The next is the end, and it stays so.
    async fn ended(&mut self);
    /// Polls once; nothing is there.
    fn is_waiting(&mut self);
    /// Polls until `other` is over, and nothing comes meanwhile.
    async fn waits_until(&mut self, other: impl Future<Output = ()>);
}

impl Expect for Signals {
    async fn signal(&mut self) -> Signal {
        self.next().await.expect("the stream goes on").expect("a signal")
    }

    async fn opened(&mut self) -> Opened {
        match self.signal().await {
            Signal::Open(opened) => *opened,
            other => panic!("{other:?} in place of a connection"),
        }
    }

    async fn event(&mut self) -> MessageEvent {
        match self.signal().await {
            Signal::Event(event) => event,
            other => panic!("{other:?} in place of an event"),
        }
    }

    async fn reconnecting(&mut self) -> (Cause, Duration) {
        match self.signal().await {
            Signal::Reconnecting { cause, delay } => (cause, delay),
            other => panic!("{other:?} in place of the end of a connection"),
        }
    }

    async fn error(&mut self) -> Error {
        match self.next().await {
            Some(Err(error)) => error,
            other => panic!("{other:?} in place of an error"),
        }
    }

    async fn ended(&mut self) {
        for _ in 0..2 {
            assert!(self.next().await.is_none(), "nothing comes after the end");
        }
    }

    fn is_waiting(&mut self) {
        let next = self.next().now_or_never();
        assert!(next.is_none(), "{next:?} although nothing is due");
    }

    async fn waits_until(&mut self, other: impl Future<Output = ()>) {
        if let Either::Left((next, _)) = select(self.next(), pin!(other)).await {
            panic!("{next:?} although nothing is due");
        }
    }
}

/// Everything until the stream ends, letting the delays between connections pass.
pub(crate) async fn play(signals: &mut Signals, clock: &ManualClock) -> (Vec<MessageEvent>, Option<Error>) {
    let mut events = Vec::new();
    while let Some(signal) = signals.next().await {
        match signal {
            Ok(Signal::Event(event)) => events.push(event),
            Ok(Signal::Reconnecting { delay, .. }) => clock.advance(delay),
            Ok(_) => {}
            Err(error) => return (events, Some(error)),
        }
    }
    (events, None)
}

pub(crate) fn data(events: &[MessageEvent]) -> Vec<&str> {
    events.iter().map(|event| &*event.data).collect()
}

/// The events of a server that sends `pieces`, each a chunk of its own, and ends.
pub(crate) async fn received(pieces: &[&[u8]]) -> Vec<MessageEvent> {
    let stream = pieces.iter().fold(Connection::stream(), |stream, piece| stream.piece(piece)).end();
    received_from(stream).await
}

/// The events of one connection.
pub(crate) async fn received_from(connection: Connection) -> Vec<MessageEvent> {
    let server = Server::start([connection]);
    let clock = ManualClock::new();
    let source = source(&server, &clock).reconnect(Reconnect::never()).build().expect("it can be built");
    source.map(|event| event.expect("an event")).collect().await
}

/// The events of `stream`, which are the same whether it comes as a whole, byte by byte, or without HTTP's chunks.
pub(crate) async fn events_of(stream: &[u8]) -> Vec<MessageEvent> {
    let whole = received(&[stream]).await;
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    let head = b"HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    let bare = received_from(Connection::raw([head, stream].concat()).close()).await;
    for other in [received(&bytes).await, bare] {
        assert_eq!(told(&other), told(&whole), "{}", stream.escape_ascii());
    }
    whole
}

/// Returns what events say, but for their origin, which differs from server to server.
pub(crate) fn told(events: &[MessageEvent]) -> Vec<(&str, &str, &str, bool, Option<u64>)> {
    let mut told = Vec::new();
    for event in events {
        let MessageEvent { event_type, data, last_event_id, .. } = event;
        told.push((&**event_type, &**data, &**last_event_id, event.sets_id(), event.retry_ms()));
    }
    told
}

/// Returns the data of the events of each stream.
pub(crate) fn each(cases: &[(&[u8], &[&str])]) {
    run(async {
        for (stream, expected) in cases {
            assert_eq!(data(&events_of(stream).await), *expected, "{}", stream.escape_ascii());
        }
    });
}
