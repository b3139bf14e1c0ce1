//! Replays: responses that send the matching events that are in the log, and then end.
use bytes::Bytes;
use fanfare_hub::{fan_out::timing, log::LogError, opening::Opening, replay::Replay, representation::Representation};
use http_body::{Body, Frame};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep_until},
};

/// The result of one read of the log: the replay to continue with, and the bytes that were read; `None` instead of
/// bytes at the end of the log.
type Piece = (Replay, Result<Option<Bytes>, LogError>);

/// The body that sends the encoded events of a replay. If the log cannot be read, the body ends with an error, so that
/// no client believes the replay to be complete.
pub struct ReplayBody {
    reading: Option<Pin<Box<dyn Future<Output = Piece> + Send>>>,
    representation: Representation,
    heartbeat_interval: Duration,
    /// Fires when a heartbeat is due, because the search of the log has found no event for the time between two
    /// heartbeats.
    alarm: Pin<Box<Sleep>>,
    /// The permit that counts this subscriber towards the limit on subscribers. It is released when the body ends.
    _place: OwnedSemaphorePermit,
}

impl ReplayBody {
    /// Creates the body of a replay that begins at the position of `opening`. A heartbeat is sent whenever nothing was
    /// sent for `heartbeat_interval`. If `tells_end` is true, the body ends with the place that it has reached.
    #[must_use]
    pub fn new(opening: Opening, tells_end: bool, heartbeat_interval: Duration, place: OwnedSemaphorePermit) -> Self {
        let representation = opening.key().representation;
        let alarm = Box::pin(sleep_until(next_heartbeat(heartbeat_interval)));
        let reading = Some(Box::pin(async move { read(opening.replay(tells_end).await).await }) as Pin<Box<_>>);
        Self { reading, representation, heartbeat_interval, alarm, _place: place }
    }
}

async fn read(mut replay: Replay) -> Piece {
    let bytes = replay.next().await;
    (replay, bytes)
}

/// Returns the time at which a heartbeat is due if nothing is sent until then.
fn next_heartbeat(heartbeat_interval: Duration) -> Instant {
    Instant::now() + heartbeat_interval.mul_f64(timing::spread(&mut fastrand::Rng::new()))
}

impl Body for ReplayBody {
    type Data = Bytes;
    type Error = LogError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, LogError>>> {
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let bytes = match reading.as_mut().poll(cx) {
            Poll::Ready((replay, bytes)) => {
                self.reading = matches!(bytes, Ok(Some(_))).then(|| Box::pin(read(replay)) as Pin<Box<_>>);
                bytes.inspect_err(|error| super::log_end("a replay ends early", error))
            }
            Poll::Pending => {
                ready!(self.alarm.as_mut().poll(cx));
                // All bytes that were sent before are whole events, so the heartbeat comes between two events.
                Ok(Some(Bytes::from_static(self.representation.heartbeat())))
            }
        };
        let deadline = next_heartbeat(self.heartbeat_interval);
        self.alarm.as_mut().reset(deadline);
        Poll::Ready(bytes.transpose().map(|bytes| bytes.map(Frame::data)))
    }
}
