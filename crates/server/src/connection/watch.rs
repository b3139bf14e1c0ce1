//! The watch over a connection, which may have to end although hyper has not finished with it: its time is over, or the
//! server's.
use super::{
    activity::{Activity, Patience},
    leaving::Left,
};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    sync::watch::Receiver,
    time::{Instant, Sleep, sleep_until},
};

/// The time that the rest of a head may take when the server stops.
const STOPPED_HEAD_TIMEOUT: Duration = Duration::from_secs(1);

/// A stage of stopping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    /// It does not stop.
    #[default]
    Not,
    /// Requests that are under way are the last.
    Finish,
    /// The server cuts what is still open.
    Cut,
}

/// Watches one connection.
pub(super) struct Watch {
    activity: Activity,
    patience: Patience,
    /// Fires when the connection may be late, or earlier: it is set again when it fires, and not with each request.
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

    /// True if the server has begun to stop.
    pub(super) fn stops(&mut self, cx: &mut Context<'_>) -> bool {
        while self.stop < Stop::Cut
            && let Poll::Ready((stop, receiver)) = self.changes.as_mut().poll(cx)
        {
            self.stop = stop;
            self.changes = Box::pin(beyond(stop, receiver));
            // hyper itself ends connections that are silent.
            (self.patience.new, self.patience.head) = (STOPPED_HEAD_TIMEOUT, STOPPED_HEAD_TIMEOUT);
        }
        self.stop > Stop::Not
    }

    /// Resolves when the connection has to end.
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

/// Waits until the server has come further. The end of its sender is the end of the server.
async fn beyond(before: Stop, mut receiver: Receiver<Stop>) -> (Stop, Receiver<Stop>) {
    let stop = receiver.wait_for(|stop| *stop > before).await.map_or(Stop::Cut, |stop| *stop);
    (stop, receiver)
}
