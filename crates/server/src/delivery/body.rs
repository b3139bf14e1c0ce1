//! A stream as the body of a response. hyper polls the body and sends its frames; this works on every kind of
//! connection.
use super::stream::{Granted, Stream};
use crate::subscriptions::Present;
use bytes::Bytes;
use fanfare_hub::{Hub, ending::EndReason, log::LogError, representation::Representation, subscription::Subscription};
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

/// The body that sends the stream of one subscriber. The stream begins when the body is first polled. If a shard has
/// taken the stream before, the body is empty, and its length is unknown.
pub struct EventBody {
    state: State,
    heartbeat_interval: Duration,
    /// Resolves when the server begins to stop.
    stopping: Stopping,
    /// The way in which the stream ends; `None` until the server stops.
    end: Option<End>,
}

enum State {
    Granted(Granted),
    Joining(Pin<Box<dyn Future<Output = Open> + Send>>),
    Open(Open),
}

/// A stream that has begun.
struct Open {
    subscription: Subscription,
    /// The permit that counts this subscriber towards the limit on subscribers. It is released when the stream ends.
    _place: OwnedSemaphorePermit,
    /// The presence of the subscriber. Dropping it publishes the end of its subscriptions.
    _present: Option<Present>,
    /// Resolves when the hub no longer trusts the signer of the token; `None` if there was no token, or after that.
    revoked: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Fires at the subscription's deadline, or earlier. To save work, the alarm is not set again with each event, but
    /// only when it fires.
    alarm: Pin<Box<Sleep>>,
}

/// A future that resolves when the server begins to stop, to the way in which its streams end.
pub type Stopping = Pin<Box<dyn Future<Output = End> + Send>>;

/// The way in which a stream ends when the server stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The hub ends the stream: the body is complete.
    Meant,
    /// The hub has failed, and the stream breaks off: the body is not complete.
    BreaksOff,
}

/// The result of polling a body: a frame, an error, or `None` at the end of the body.
type Polled = Option<Result<Frame<Bytes>, LogError>>;

/// Makes a [`Stopping`] for a stream of `hub` from the signal that becomes true when the server begins to stop.
#[must_use]
pub fn stopping(mut signal: watch::Receiver<bool>, hub: Hub) -> Stopping {
    Box::pin(async move {
        // If the sender of the signal is dropped, the server stops too.
        _ = signal.wait_for(|stopping| *stopping).await;
        if hub.failure().is_some() { End::BreaksOff } else { End::Meant }
    })
}

impl EventBody {
    /// Creates a body that begins with a heartbeat, because some proxies wait for the first byte of the body. Another
    /// heartbeat follows whenever nothing was sent for `heartbeat_interval`.
    #[must_use]
    pub fn new(granted: Granted, heartbeat_interval: Duration, stopping: Stopping) -> Self {
        Self { state: State::Granted(granted), heartbeat_interval, stopping, end: None }
    }

    /// Returns the way in which the stream ends, if the server stops.
    fn end(&mut self, cx: &mut Context<'_>) -> Option<End> {
        if self.end.is_none()
            && let Poll::Ready(end) = self.stopping.as_mut().poll(cx)
        {
            self.end = Some(end);
        }
        self.end
    }
}

impl Open {
    async fn join(stream: Stream, heartbeat_interval: Duration) -> Self {
        let Stream { opening, place, arrival, signer, .. } = stream;
        let subscription = opening.subscribe().await;
        let present = arrival.map(|arrival| arrival.begin(subscription.key()));
        let alarm = Box::pin(sleep_until(subscription.deadline(heartbeat_interval).unwrap_or_else(Instant::now)));
        let revoked = signer.map(|signer| Box::pin(signer.revoked()) as Pin<Box<_>>);
        Self { subscription, _place: place, _present: present, revoked, alarm }
    }

    fn poll(&mut self, heartbeat_interval: Duration, cx: &mut Context<'_>) -> Poll<Polled> {
        if self.revoked.as_mut().is_some_and(|revoked| revoked.as_mut().poll(cx).is_ready()) {
            self.revoked = None;
            self.subscription.end_because(EndReason::TokenRevoked);
        }
        loop {
            // The deadline is checked before the next event is sent. Otherwise a stream that always has another event
            // to send would never end.
            while self.alarm.deadline() <= Instant::now() {
                self.subscription.expire(heartbeat_interval);
                let deadline = self.subscription.deadline(heartbeat_interval);
                // A stream that has ended has no deadline. The alarm is set to a later time, so that this loop ends and
                // `poll_next` can tell of the stream's end.
                self.alarm.as_mut().reset(deadline.unwrap_or_else(|| Instant::now() + heartbeat_interval));
            }
            if let Poll::Ready(next) = self.subscription.poll_next(cx) {
                let next = next.map(|run| run.inspect_err(|error| super::log_end("a stream ends", error)));
                // If a budget ends the stream, the subscriber was told to come back later, so the body is complete.
                let next = next.filter(|run| !matches!(run, Err(LogError::OverBudget(_))));
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
            let end = if matches!(body.state, State::Granted(_)) { None } else { body.end(cx) };
            if end == Some(End::BreaksOff) {
                return Poll::Ready(Some(Err(LogError::Failed("the hub has failed".to_owned()))));
            }
            let heartbeat_interval = body.heartbeat_interval;
            match &mut body.state {
                State::Granted(granted) => {
                    return Poll::Ready(granted.take().and_then(|stream| {
                        let first = silence(stream.opening.key().representation);
                        body.state = State::Joining(Box::pin(Open::join(stream, heartbeat_interval)));
                        first
                    }));
                }
                State::Joining(_) if end.is_some() => return Poll::Ready(None),
                State::Joining(joining) => body.state = State::Open(ready!(joining.as_mut().poll(cx))),
                State::Open(open) => {
                    if end.is_some() {
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
    use crate::{
        delivery::lifetime::Lifetime,
        obstructed_log::{ObstructedLog, Use},
    };
    use fanfare_hub::{
        Hub, HubLimits,
        audience_key::AudienceKey,
        entry::Timestamp,
        grant::Matchers,
        log::{MemoryLog, Retention},
        opening::Opening,
        position::Offset,
        subscription::Start,
        topic::{Topic, matcher::Matcher},
        update::{Update, UpdateFields},
    };
    use http_body_util::BodyExt as _;
    use std::{
        future::poll_fn,
        io,
        sync::{
            Arc,
            atomic::{AtomicBool, AtomicUsize, Ordering},
        },
        thread,
    };
    use tokio::{sync::Semaphore, time::timeout};

    /// The longest time that a test waits for anything.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn key() -> AudienceKey {
        let matchers = [Matcher::exact("a").unwrap()].into_iter().collect();
        AudienceKey::new(matchers, Matchers::default(), Representation::EventStream)
    }

    fn update(number: usize) -> Update {
        let fields = UpdateFields { topics: vec![Topic::new("a").unwrap()], ..UpdateFields::default() };
        Update::new(UpdateFields { data: format!("{number} {}", "x".repeat(1_000)), ..fields }).unwrap()
    }

    fn body(opening: Opening, heartbeat_interval: Duration) -> EventBody {
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let granted = Granted::new(Stream::new(opening, place, None));
        EventBody::new(granted, heartbeat_interval, Box::pin(std::future::pending()))
    }

    /// Returns the text of a stream whose token has expired when it begins.
    async fn expired(hub: &Hub, start: Start) -> String {
        let opening = hub.open(key(), start).await.unwrap();
        let Lifetime { ends, reason } = Lifetime::new(None, Some(Timestamp(0)));
        let body = body(opening.until(ends, reason), Duration::from_secs(20));
        String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }

    fn ids(stream: &str) -> Vec<&str> {
        stream.lines().filter_map(|line| line.strip_prefix("id: ")).collect()
    }

    /// A subscriber that continues after the ID of the last event misses nothing.
    #[tokio::test]
    async fn a_stream_that_ends_at_once_names_no_place_behind_what_it_has_not_sent() {
        let hub = Hub::start(Arc::new(MemoryLog::new(Retention::default())), &HubLimits::default()).unwrap();
        hub.publish((0..200).map(update).collect()).await.unwrap();
        let unknown = expired(&hub, Start::After("nobody's".to_owned())).await;
        let types: Vec<_> = unknown.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
        assert_eq!(types, ["fanfare.gap", "fanfare.start", "fanfare.end"], "{unknown}");
        for (count, sent) in [(10, 10), (200, 50)] {
            let stream = expired(&hub, Start::Newest(count)).await;
            let ids = ids(&stream);
            assert!(ids.len() > sent && stream.contains("fanfare.end"), "{} of {count}", ids.len());
            assert_eq!(ids[ids.len() - 1], ids[ids.len() - 2], "the end stands where the last event does");
        }
    }

    /// The log cannot be read for the subscription, so the subscription has lost its seat. Its rewind still waits for
    /// the log.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_rewind_without_a_seat_is_polled_only_when_something_has_happened() {
        const HEARTBEATS: usize = 5;
        let is_obstructed = Arc::new(AtomicBool::new(false));
        let told = is_obstructed.clone();
        // While the log is obstructed, reads up to the end of the log fail, and other reads wait.
        let log = ObstructedLog::new(move |what| {
            let Use::Read(query) = what else { return Ok(()) };
            let begun = Instant::now();
            while told.load(Ordering::SeqCst) {
                if query.until == Offset(u64::MAX) {
                    return Err(LogError::Io(io::Error::other("told to fail")));
                }
                thread::sleep(Duration::from_millis(10));
                told.fetch_and(begun.elapsed() < PATIENCE, Ordering::SeqCst);
            }
            Ok(())
        });
        let hub = Hub::start(log, &HubLimits::default()).unwrap();
        hub.publish((0..200).map(update).collect()).await.unwrap();
        let opening = hub.open(key(), Start::Newest(200)).await.unwrap();
        // The window of the audience begins after the events of the rewind, so the events in between must be read from
        // the log.
        hub.publish(vec![update(200)]).await.unwrap();
        let _neighbour = hub.subscribe(key(), Start::Now).await.unwrap();
        is_obstructed.store(true, Ordering::SeqCst);
        let mut body = body(opening, Duration::from_millis(40));
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = polls.clone();
        // The body is polled in a task of its own, so that the test ends even if a poll never returns.
        let heard = tokio::spawn(async move {
            // The first two frames come at once: the heartbeat, and the first bytes of the rewind.
            for _ in 0..2 + HEARTBEATS {
                let next = poll_fn(|cx| {
                    counted.fetch_add(1, Ordering::SeqCst);
                    Pin::new(&mut body).poll_frame(cx)
                });
                next.await.unwrap().unwrap();
            }
            body
        });
        let heard = timeout(PATIENCE / 2, heard).await;
        let polls = polls.load(Ordering::SeqCst);
        assert!(heard.is_ok() && polls <= 4 * (2 + HEARTBEATS), "{polls} polls for {HEARTBEATS} heartbeats");
        let body = heard.unwrap().unwrap();
        is_obstructed.store(false, Ordering::SeqCst);
        let rest = body.collect().await;
        assert!(rest.is_err(), "the events after the rewind cannot be sent");
    }
}
