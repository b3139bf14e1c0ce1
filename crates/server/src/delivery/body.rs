//! A stream as the body of a response: hyper delivers it by polling, on every kind of connection.
use super::stream::{Granted, Stream};
use crate::subscriptions::Present;
use bytes::Bytes;
use fanfare_hub::{log::LogError, representation::Representation, subscription::Subscription};
use http_body::{Body, Frame};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, Sleep, sleep_until},
};

/// The stream of one subscriber. It begins when the body is first polled, unless a shard took the stream before: then
/// the body is empty, and its length is unknown.
pub struct EventBody {
    state: State,
    heartbeat_interval: Duration,
    /// Resolves when the server stops; `None` after that.
    stopping: Option<Stopping>,
}

enum State {
    Granted(Granted),
    Joining(Pin<Box<dyn Future<Output = Open> + Send>>),
    Open(Open),
}

/// A stream that has begun.
struct Open {
    subscription: Subscription,
    /// The permit for one subscriber, which is released when the stream ends.
    _place: OwnedSemaphorePermit,
    /// The presence of the subscriber. Dropping it publishes the end of its subscriptions.
    _present: Option<Present>,
    /// Fires at the subscription's deadline, or earlier. The alarm is set again when it fires, not with each event.
    alarm: Pin<Box<Sleep>>,
}

/// Resolves when the server begins to stop.
pub type Stopping = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The result of polling a body: a frame, an error, or `None` at the end of the body.
type Polled = Option<Result<Frame<Bytes>, LogError>>;

/// Makes a [`Stopping`] from the server's signal.
#[must_use]
pub fn stopping(mut signal: watch::Receiver<bool>) -> Stopping {
    // The server also stops when the sender is dropped.
    Box::pin(async move { drop(signal.wait_for(|stopping| *stopping).await) })
}

impl EventBody {
    /// Creates a body that begins its stream with a heartbeat, because some proxies wait for the first byte of the
    /// body. Another heartbeat follows whenever nothing was sent for `heartbeat_interval`.
    #[must_use]
    pub fn new(granted: Granted, heartbeat_interval: Duration, stopping: Stopping) -> Self {
        Self { state: State::Granted(granted), heartbeat_interval, stopping: Some(stopping) }
    }

    fn is_stopping(&mut self, cx: &mut Context<'_>) -> bool {
        let has_stopped = self.stopping.as_mut().is_none_or(|stopping| stopping.as_mut().poll(cx).is_ready());
        if has_stopped {
            self.stopping = None;
        }
        has_stopped
    }
}

impl Open {
    async fn join(stream: Stream, heartbeat_interval: Duration) -> Self {
        let Stream { opening, place, arrival, .. } = stream;
        let subscription = opening.subscribe().await;
        let present = arrival.map(|arrival| arrival.begin(subscription.key()));
        let alarm = Box::pin(sleep_until(subscription.deadline(heartbeat_interval).unwrap_or_else(Instant::now)));
        Self { subscription, _place: place, _present: present, alarm }
    }

    fn poll(&mut self, heartbeat_interval: Duration, cx: &mut Context<'_>) -> Poll<Polled> {
        loop {
            // The deadline is checked before the next event is sent, so that a stream that is never silent also ends.
            while self.alarm.deadline() <= Instant::now()
                && let Some(deadline) = self.subscription.deadline(heartbeat_interval)
            {
                self.subscription.expire(heartbeat_interval);
                let deadline = self.subscription.deadline(heartbeat_interval).unwrap_or(deadline);
                self.alarm.as_mut().reset(deadline);
            }
            if let Poll::Ready(next) = self.subscription.poll_next(cx) {
                let next = next.map(|run| run.inspect_err(|error| tracing::error!("a stream ends because {error}")));
                return Poll::Ready(next.map(|run| run.map(Frame::data)));
            }
            ready!(self.alarm.as_mut().poll(cx));
        }
    }
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = LogError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Polled> {
        let body = self.get_mut();
        loop {
            let is_stopping = !matches!(body.state, State::Granted(_)) && body.is_stopping(cx);
            let heartbeat_interval = body.heartbeat_interval;
            match &mut body.state {
                State::Granted(granted) => {
                    return Poll::Ready(granted.take().and_then(|stream| {
                        let first = silence(stream.opening.key().representation);
                        body.state = State::Joining(Box::pin(Open::join(stream, heartbeat_interval)));
                        first
                    }));
                }
                State::Joining(_) if is_stopping => return Poll::Ready(None),
                State::Joining(joining) => body.state = State::Open(ready!(joining.as_mut().poll(cx))),
                State::Open(open) => {
                    if is_stopping {
                        open.subscription.end();
                    }
                    return open.poll(heartbeat_interval, cx);
                }
            }
        }
    }
}

/// Returns a heartbeat as a frame.
fn silence(representation: Representation) -> Polled {
    Some(Ok(Frame::data(Bytes::from_static(representation.heartbeat()))))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::delivery::lifetime::Lifetime;
    use fanfare_hub::{
        Hub, HubLimits,
        audience_key::AudienceKey,
        entry::Timestamp,
        grant::Matchers,
        log::{MemoryLog, Retention},
        subscription::Start,
        topic::{Topic, matcher::Matcher},
        update::{Update, UpdateFields},
    };
    use http_body_util::BodyExt as _;
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    /// Returns the text of a stream whose token has expired when it begins.
    async fn expired(hub: &Hub, start: Start) -> String {
        let matchers = [Matcher::exact("a").unwrap()].into_iter().collect();
        let representation = Representation::EventStream;
        let key = AudienceKey { matchers, granted: Matchers::default(), representation };
        let opening = hub.open(key, start).await.unwrap();
        let Lifetime { ends, reason } = Lifetime::new(None, Some(Timestamp(0)));
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let granted = Granted::new(Stream::new(opening.until(ends, reason), place, None));
        let body = EventBody::new(granted, Duration::from_secs(20), Box::pin(std::future::pending()));
        String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    fn ids(stream: &str) -> Vec<&str> {
        stream.lines().filter_map(|line| line.strip_prefix("id: ")).collect()
    }

    /// A subscriber that continues after the ID of the last event misses nothing.
    #[tokio::test]
    async fn a_stream_that_ends_at_once_names_no_place_behind_what_it_has_not_sent() {
        let hub = Hub::start(Arc::new(MemoryLog::new(Retention::default())), &HubLimits::default()).unwrap();
        let update = |number: usize| {
            let fields = UpdateFields { topics: vec![Topic::new("a").unwrap()], ..UpdateFields::default() };
            Update::new(UpdateFields { data: format!("{number} {}", "x".repeat(1_000)), ..fields }).unwrap()
        };
        hub.publish((0..200).map(update).collect()).await.unwrap();
        let unknown = expired(&hub, Start::After("nobody's".to_owned())).await;
        let types: Vec<_> = unknown.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!(types, ["fanfare.gap", "fanfare.end"], "{unknown}");
        for (count, sent) in [(10, 10), (200, 50)] {
            let stream = expired(&hub, Start::Newest(count)).await;
            let ids = ids(&stream);
            assert!(ids.len() > sent && stream.contains("fanfare.end"), "{} of {count}", ids.len());
            assert_eq!(ids[ids.len() - 1], ids[ids.len() - 2], "the end stands where the last event does");
        }
    }
}
