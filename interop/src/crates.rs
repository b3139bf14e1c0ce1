//! Rust crates of other people's making, as clients. Each reconnects by itself.
use crate::{PATIENCE, event_source::RECONNECTION_TIME, subscriber::Received};
use eventsource_client::{Client as _, ClientBuilder, ReconnectOptions, SSE};
use futures_util::{Stream, StreamExt as _, stream::BoxStream};
use launchdarkly_sdk_transport::HyperTransport;
use reqwest_eventsource::{Event, EventSource, retry::Constant};
use reqwest_of_sse_reqwest_client::Client as HttpClient;
use sse_reqwest_client::{RequestBuilderExt as _, SseEvent};
use std::{fmt, num::NonZeroUsize};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

/// The largest event that `sse-reqwest-client` is to hand over, in bytes.
const MOST_PAYLOAD_BYTES: NonZeroUsize = NonZeroUsize::new(1 << 20).unwrap();

/// An event source with its own runtime. It makes progress only while [`Self::event`] waits.
pub struct Crate {
    runtime: Runtime,
    events: BoxStream<'static, Received>,
}

impl Crate {
    /// Opens `url` with LaunchDarkly's `eventsource-client`.
    #[must_use]
    pub fn eventsource_client(url: &str) -> Self {
        let builder = ClientBuilder::for_url(url).unwrap();
        let options = ReconnectOptions::reconnect(true).delay(RECONNECTION_TIME).backoff_factor(1).build();
        Self::start(|| {
            let client = builder.reconnect(options).build_with_transport(HyperTransport::new().unwrap());
            client.stream().filter_map(async |next| match next {
                Ok(SSE::Event(event)) => {
                    let id = event.id.unwrap_or_default();
                    Some(Received { event_type: event.event_type, data: event.data, id })
                }
                // It reconnects after an error.
                Ok(SSE::Connected(_) | SSE::Comment(_)) | Err(_) => None,
            })
        })
    }

    /// Opens `url` with `reqwest-eventsource`.
    #[must_use]
    pub fn reqwest_eventsource(url: &str) -> Self {
        Self::start(|| {
            let mut source = EventSource::get(url);
            source.set_retry_policy(Box::new(Constant::new(RECONNECTION_TIME, None)));
            source.filter_map(async |next| match next {
                Ok(Event::Message(event)) => Some(Received { event_type: event.event, data: event.data, id: event.id }),
                // It reconnects after an error.
                Ok(Event::Open) | Err(_) => None,
            })
        })
    }

    /// Opens `url` with `sse-reqwest-client`.
    #[must_use]
    pub fn sse_reqwest_client(url: &str) -> Self {
        Self::start(|| {
            let builder = HttpClient::new().get(url).into_event_source_builder();
            // By itself it leaves out larger events than 512 KiB.
            let builder = builder.initial_reconnection_time(RECONNECTION_TIME).max_payload_size(MOST_PAYLOAD_BYTES);
            builder.build().filter_map(async |next| match next {
                Ok(SseEvent::Message(event)) => Some(Received {
                    event_type: event.event.to_string(),
                    data: event.data.to_string(),
                    id: event.last_event_id.map(|id| id.to_string()).unwrap_or_default(),
                }),
                // It reconnects after an error.
                Ok(SseEvent::Open | SseEvent::Error(_) | SseEvent::Discarded(_)) => None,
                Err(error) => panic!("sse-reqwest-client gave up: {error}"),
            })
        })
    }

    /// Opens an event source within the runtime, which some of them need when they are made.
    fn start<S: Stream<Item = Received> + Send + 'static>(open: impl FnOnce() -> S) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let events = runtime.block_on(async { open().boxed() });
        Self { runtime, events }
    }

    /// Returns the next event.
    ///
    /// # Panics
    /// If no event comes in time, or the event source has ended.
    pub fn event(&mut self) -> Received {
        let next = async { timeout(PATIENCE, self.events.next()).await };
        self.runtime.block_on(next).expect("an event in time").expect("no end")
    }
}

impl fmt::Debug for Crate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Crate").finish_non_exhaustive()
    }
}
