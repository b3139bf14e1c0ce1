//! Our own client.
use crate::{PATIENCE, subscriber::Received};
use fanfare_client::{EventSource, MessageEvent, Reconnect, Signal, Signals};
use futures_util::StreamExt as _;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Until a server says otherwise.
pub const RECONNECTION_TIME: Duration = Duration::from_millis(50);

/// An event source with a runtime of its own, for tests that wait for one thing after the other.
#[derive(Debug)]
pub struct Blocking {
    runtime: Runtime,
    signals: Signals,
}

impl Blocking {
    /// Opens `url`, as the standard has it, only that it comes back sooner.
    #[must_use]
    pub fn open(url: &str) -> Self {
        let policy = Reconnect::spec().floor(Duration::ZERO).reconnection_time(RECONNECTION_TIME);
        let source = EventSource::builder(url).reconnect(policy).build().unwrap();
        Self { runtime: Builder::new_current_thread().enable_all().build().unwrap(), signals: source.signals() }
    }

    /// The event source, to ask it or to close it.
    pub fn source(&mut self) -> &mut EventSource {
        self.signals.source()
    }

    /// What it tells next, but for comments; `None` at its end.
    ///
    /// # Panics
    /// If that is an error, or does not come in time.
    pub fn signal(&mut self) -> Option<Signal> {
        loop {
            let next = async { tokio::time::timeout(PATIENCE, self.signals.next()).await };
            match self.runtime.block_on(next).expect("something in time") {
                Some(Ok(Signal::Comment(_))) => {}
                signal => return signal.map(|signal| signal.unwrap()),
            }
        }
    }

    /// The next event, over however many connections.
    ///
    /// # Panics
    /// If there is none.
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
