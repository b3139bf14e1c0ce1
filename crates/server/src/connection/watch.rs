//! The watch over a connection. It ends a connection, before hyper has finished with it, if the connection has waited
//! too long for a request, or if the server stops.
use super::{
    activity::{Activity, Patience},
    leaving::Left,
};
use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    sync::watch::Receiver,
    time::{Instant, Sleep, sleep_until},
};

/// The time that the rest of a head may take to arrive when the server stops.
const STOPPED_HEAD_TIMEOUT: Duration = Duration::from_secs(1);

/// A stage in the stopping of the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    /// The server does not stop.
    #[default]
    Not,
    /// The server finishes the requests that are under way and takes no more.
    Finish,
    /// The server closes all connections that are still open.
    Cut,
}

/// Watches one connection.
pub(super) struct Watch {
    activity: Activity,
    patience: Patience,
    /// Fires when the connection may have waited too long for a request, or earlier. To save work, the alarm is not set
    /// to a later time with each request, but only when it fires.
    alarm: Pin<Box<Sleep>>,
    changes: Changes,
    stop: Stop,
}

type Changes = Pin<Box<dyn Future<Output = (Stop, Receiver<Stop>)> + Send>>;

impl Watch {
    pub(super) fn new(activity: Activity, patience: Patience, stop: Receiver<Stop>) -> Self {
        let alarm = Box::pin(sleep_until(Instant::now() + patience.new));
        Self { activity, patience, alarm, changes: Box::pin(beyond(Stop::Not, stop)), stop: Stop::Not }
    }

    /// Returns true if the server has begun to stop.
    pub(super) fn stops(&mut self, cx: &mut Context<'_>) -> bool {
        while self.stop < Stop::Cut
            && let Poll::Ready((stop, receiver)) = self.changes.as_mut().poll(cx)
        {
            self.stop = stop;
            self.changes = Box::pin(beyond(stop, receiver));
            // From now on, the peer has less time for the first byte of a new connection and for the head of a request.
            // The time between two requests need not be shorter: while the server stops, hyper itself ends a connection
            // without a request.
            (self.patience.new, self.patience.head) = (STOPPED_HEAD_TIMEOUT, STOPPED_HEAD_TIMEOUT);
        }
        self.stop > Stop::Not
    }

    /// Waits until the server closes all connections.
    pub(super) async fn cut(&mut self) {
        poll_fn(|cx| {
            self.stops(cx);
            if self.stop == Stop::Cut { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Ready when the connection has to end before hyper has finished with it: because the server closes all
    /// connections, or because the peer took too long to send a request. Pending until then.
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Left> {
        if self.stop == Stop::Cut {
            return Poll::Ready(Left::Cut);
        }
        while let Some(deadline) = self.activity.deadline(&self.patience) {
            if self.alarm.deadline() > deadline {
                self.alarm.as_mut().reset(deadline);
            }
            ready!(self.alarm.as_mut().poll(cx));
            if deadline <= Instant::now() {
                return Poll::Ready(Left::Late);
            }
            self.alarm.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

/// Waits until the server has reached a later stage of its stopping than `before`, and returns the new stage. If the
/// sender is dropped, the stage is [`Stop::Cut`].
async fn beyond(before: Stop, mut receiver: Receiver<Stop>) -> (Stop, Receiver<Stop>) {
    let stop = receiver.wait_for(|stop| *stop > before).await.map_or(Stop::Cut, |stop| *stop);
    (stop, receiver)
}
