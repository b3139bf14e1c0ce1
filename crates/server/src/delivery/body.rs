//! A stream as the body of a response: delivery through whoever polls it, for every kind of connection.
use super::{
    pace::{Due, Pace},
    stream::{Granted, Stream},
};
use crate::subscriptions::Present;
use bytes::Bytes;
use fanfare_hub::{ending::Ending, entry::Timestamp, log::LogError, subscription::Subscription, wire::Representation};
use http_body::{Body, Frame};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Sleep, sleep_until},
};

/// The stream of one subscriber. It begins when the body is first polled, unless it was taken elsewhere before: then
/// the body is empty, and of no known length.
pub struct EventBody {
    state: State,
    /// Resolves when the server stops.
    stopping: Stopping,
}

enum State {
    Granted(Granted),
    Joining(Pin<Box<dyn Future<Output = Open> + Send>>),
    Open(Open),
}

/// A stream that has begun.
struct Open {
    subscription: Subscription,
    pace: Pace,
    /// Frees the subscriber's place when the stream ends.
    _place: OwnedSemaphorePermit,
    /// Tells of its end, when the stream ends.
    _present: Option<Present>,
    /// Fires when something is due by the stream's pace, or earlier: it is set again when it fires, not with each
    /// event.
    alarm: Pin<Box<Sleep>>,
}

/// Resolves when the server begins to stop.
pub type Stopping = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A frame of a body, its end, or an error.
type Polled = Option<Result<Frame<Bytes>, LogError>>;

/// Makes a [`Stopping`] of the server's signal.
#[must_use]
pub fn stopping(mut signal: watch::Receiver<bool>) -> Stopping {
    // The sender's end is the end of the server, too.
    Box::pin(async move { drop(signal.wait_for(|stopping| *stopping).await) })
}

impl EventBody {
    /// A body that begins its stream with a heartbeat, so that no proxy waits for what comes after the head.
    #[must_use]
    pub fn new(granted: Granted, stopping: Stopping) -> Self {
        Self { state: State::Granted(granted), stopping }
    }
}

impl Open {
    async fn join(stream: Stream) -> Self {
        let Stream { opening, pace, place, arrival } = stream;
        let alarm = Box::pin(sleep_until(pace.next()));
        let subscription = opening.subscribe().await;
        let present = arrival.map(|arrival| arrival.begin(subscription.key()));
        Self { subscription, pace, _place: place, _present: present, alarm }
    }

    fn heartbeat(&mut self) -> Polled {
        self.pace.spoke();
        silence(self.subscription.key().representation)
    }

    /// The event that tells the subscriber why its stream ends, and then the end.
    fn ending(&mut self) -> Polled {
        let reason = self.pace.take_reason()?;
        let mut bytes = Vec::new();
        let representation = self.subscription.key().representation;
        representation.encode_ending(&Ending { reason }, &self.subscription.reached(), Timestamp::now(), &mut bytes);
        Some(Ok(Frame::data(bytes.into())))
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Polled> {
        let Self { subscription, pace, .. } = self;
        if pace.due() == Some(Due::End) {
            return Poll::Ready(self.ending());
        }
        if let Poll::Ready(run) = subscription.poll_next(cx) {
            pace.spoke();
            let run = run.inspect_err(|error| tracing::error!("a stream ends because {error}"));
            return Poll::Ready(Some(run.map(Frame::data)));
        }
        loop {
            ready!(self.alarm.as_mut().poll(cx));
            match self.pace.due() {
                Some(Due::End) => return Poll::Ready(self.ending()),
                Some(Due::Heartbeat) => return Poll::Ready(self.heartbeat()),
                None => self.alarm.as_mut().reset(self.pace.next()),
            }
        }
    }
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = LogError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Polled> {
        let body = self.get_mut();
        if let State::Open(open) = &mut body.state
            && let Some(rest) = open.subscription.take_rest()
        {
            return Poll::Ready(Some(Ok(Frame::data(rest))));
        }
        loop {
            match &mut body.state {
                State::Granted(granted) => {
                    return Poll::Ready(granted.take().and_then(|stream| {
                        let first = silence(stream.opening.key().representation);
                        body.state = State::Joining(Box::pin(Open::join(stream)));
                        first
                    }));
                }
                _ if body.stopping.as_mut().poll(cx).is_ready() => return Poll::Ready(None),
                State::Joining(joining) => body.state = State::Open(ready!(joining.as_mut().poll(cx))),
                State::Open(open) => return open.poll(cx),
            }
        }
    }
}

/// A heartbeat.
fn silence(representation: Representation) -> Polled {
    Some(Ok(Frame::data(Bytes::from_static(representation.heartbeat()))))
}
