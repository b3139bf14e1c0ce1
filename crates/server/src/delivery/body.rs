//! A subscription as the body of a response: delivery through hyper, for every kind of connection.
use super::pace::{Due, Pace};
use bytes::Bytes;
use fanfare_hub::{log::LogError, subscription::Subscription};
use http_body::{Body, Frame};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Sleep, sleep_until},
};

/// The stream of one subscriber.
pub struct EventBody {
    subscription: Subscription,
    pace: Pace,
    /// Fires when something is due by `pace`, or earlier: it is set anew when it fires, not with each event.
    alarm: Pin<Box<Sleep>>,
    /// Whether the stream has begun to speak. Its first bytes go out at once, so that no proxy waits for them.
    opened: bool,
    /// Resolves when the server stops.
    stopping: Stopping,
    /// Frees the subscriber's place when the stream ends.
    _place: OwnedSemaphorePermit,
}

/// Resolves when the server begins to stop.
pub type Stopping = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes a [`Stopping`] of the server's signal.
#[must_use]
pub fn stopping(mut signal: watch::Receiver<bool>) -> Stopping {
    // The sender's end is the end of the server, too.
    Box::pin(async move { drop(signal.wait_for(|stopping| *stopping).await) })
}

impl EventBody {
    /// The stream of `subscription`.
    #[must_use]
    pub fn new(subscription: Subscription, pace: Pace, stopping: Stopping, place: OwnedSemaphorePermit) -> Self {
        let alarm = Box::pin(sleep_until(pace.next()));
        Self { subscription, pace, alarm, opened: false, stopping, _place: place }
    }

    fn heartbeat(&mut self) -> Poll<Option<Result<Frame<Bytes>, LogError>>> {
        self.pace.spoke();
        let silence = self.subscription.key().representation.heartbeat();
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(silence)))))
    }
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = LogError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, LogError>>> {
        let body = self.get_mut();
        if !std::mem::replace(&mut body.opened, true) {
            return body.heartbeat();
        }
        if body.stopping.as_mut().poll(cx).is_ready() || body.pace.due() == Some(Due::End) {
            return Poll::Ready(None);
        }
        if let Poll::Ready(run) = body.subscription.poll_next(cx) {
            body.pace.spoke();
            let run = run.inspect_err(|error| tracing::error!("a stream ends because {error}"));
            return Poll::Ready(Some(run.map(Frame::data)));
        }
        loop {
            ready!(body.alarm.as_mut().poll(cx));
            match body.pace.due() {
                Some(Due::End) => return Poll::Ready(None),
                Some(Due::Heartbeat) => return body.heartbeat(),
                None => body.alarm.as_mut().reset(body.pace.next()),
            }
        }
    }
}
