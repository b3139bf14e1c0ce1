//! The client of this repository, `fanfare_client::EventSource`.
use crate::{PATIENCE, subscriber::Received};
use fanfare_client::{EventSource, MessageEvent, Reconnect, Signal, Signals};
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

/// The reconnection time until a server sets another one.
pub const RECONNECTION_TIME: Duration = Duration::from_millis(50);

/// An event source with its own runtime, for tests that wait for one event after the other.
#[derive(Debug)]
pub struct Blocking {
    runtime: Runtime,
    signals: Signals,
}

impl Blocking {
    /// Opens `url` as the standard says, except that it reconnects sooner.
    #[must_use]
    pub fn open(url: &str) -> Self {
        let policy = Reconnect::spec().floor(Duration::ZERO).reconnection_time(RECONNECTION_TIME);
        let source = EventSource::builder(url).reconnect(policy).build().unwrap();
        Self { runtime: Builder::new_current_thread().enable_all().build().unwrap(), signals: source.signals() }
    }

    /// Returns the event source, for example to close it.
    pub fn source(&mut self) -> &mut EventSource {
        self.signals.source()
    }

    /// Returns the next signal that is not a comment; `None` at the end of the event source.
    ///
    /// # Panics
    /// If the signal is an error, or does not come in time.
    pub fn signal(&mut self) -> Option<Signal> {
        let next = async {
            loop {
                match self.signals.next().await {
                    Some(Ok(Signal::Comment(_))) => {}
                    signal => break signal,
                }
            }
        };
        let next = self.runtime.block_on(async { timeout(PATIENCE, next).await });
        next.expect("something in time").map(|signal| signal.unwrap())
    }

    /// Returns the next event, from this connection or a later one.
    ///
    /// # Panics
    /// If no event comes in time, or the event source ends.
    pub fn event(&mut self) -> Received {
        loop {
            if let Signal::Event(event) = self.signal().expect("no end") {
                return Received::from(&event);
            }
        }
    }
}

impl From<&MessageEvent> for Received {
    fn from(event: &MessageEvent) -> Self {
        Self {
            event_type: event.event_type.to_string(),
            data: event.data.to_string(),
            id: event.last_event_id.to_string(),
        }
    }
}
