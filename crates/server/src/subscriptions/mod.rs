//! Active subscriptions: who is subscribed to what, told as it changes and answered when it is asked for
//! ([Mercure, active subscriptions](https://mercure.rocks/spec#active-subscriptions), both revisions).
//!
//! A subscriber arrives (`Arrival`), begins to be `Present`, and leaves when that is dropped, however its stream ends.
//! Both are requests to the `teller`, which publishes them in the order in which they happen, in batches, and keeps the
//! `index` of what it has told. `document` is what is told, in the shapes of both revisions, and [`api`] answers from
//! the index, which is in memory: what was active when the hub was killed is not active in the hub that comes after it,
//! although its end was never told.
pub mod api;
mod arrival;
mod document;
mod index;
mod page;
mod pending;
mod request;
mod subscriber;
mod teller;
#[cfg(test)]
mod tests;

pub(crate) use arrival::{Arrival, Present};
pub use document::MAX_SUBSCRIPTION_URL_BYTES;
pub(crate) use document::check_length;

use crate::{auth::Payloads, problem::Problem};
use fanfare_hub::{Hub, audience_key::AudienceKey};
use index::{Index, Reading};
use request::Request;
use std::sync::{Arc, Mutex, PoisonError};
use subscriber::Subscriber;
use teller::Teller;
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::{Duration, timeout},
};
use uuid::Uuid;

/// The number of subscribers that have left and of whom others may still have to be told. Beyond that, who connects
/// waits until some were: nothing is left out.
pub const MAX_UNTOLD: usize = 4_096;
/// The time for which a question waits for what has happened before it to be told.
const PATIENCE: Duration = Duration::from_secs(10);

/// The way to the teller. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ActiveSubscriptions {
    hub: Hub,
    /// Bounded by `room`, and by who asks.
    requests: mpsc::UnboundedSender<Request>,
    /// A permit for each subscriber, from before it begins until its end was told.
    room: Arc<Semaphore>,
    /// Taken by the teller and by who asks, never on an event's or a subscriber's way. Lock order: before the log's.
    index: Arc<Mutex<Index>>,
    /// A name that tells documents of this run of the hub from those of others.
    run: Uuid,
}

impl ActiveSubscriptions {
    /// Begins to tell of at most `max_subscribers` at a time.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn start(hub: Hub, max_subscribers: usize) -> Self {
        let (requests, receiver) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new((max_subscribers.saturating_add(MAX_UNTOLD)).min(Semaphore::MAX_PERMITS)));
        let index = Arc::<Mutex<Index>>::default();
        tokio::spawn(Teller::new(hub.clone(), receiver, room.clone(), index.clone()).run());
        Self { hub, requests, room, index, run: Uuid::new_v4() }
    }

    /// Takes in a subscriber, of whom nobody is told until it begins. Waits while there is too much to tell.
    ///
    /// # Errors
    /// [`Problem::Untold`] if nothing is told any more, because the log is closed.
    ///
    /// # Cancel safety
    /// Nothing has happened when the future is dropped.
    pub(crate) async fn arrive(&self, key: &AudienceKey, payloads: &Payloads) -> Result<Arrival, Problem> {
        let room = self.room.clone().acquire_owned().await.map_err(|_| Problem::Untold)?;
        Ok(Arrival::new(Subscriber::payloads(key, payloads), room, self.requests.clone()))
    }

    /// Waits until all that has happened was told.
    ///
    /// # Errors
    /// [`Problem::Untold`] if the log does not take it in time.
    pub(crate) async fn all_told(&self) -> Result<(), Problem> {
        timeout(PATIENCE, self.ask()).await.unwrap_or(Err(Problem::Untold))
    }

    /// The same when the server stops, for as long as that may take.
    pub(crate) async fn tell_all(&self) {
        if self.ask().await.is_err() {
            tracing::warn!("the end of some subscriptions was not told");
        }
    }

    async fn ask(&self) -> Result<(), Problem> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Ask(answer)).map_err(|_| Problem::Untold)?;
        answered.await.map_err(|_| Problem::Untold)
    }

    /// Looks at what was told.
    fn read<T>(&self, look: impl FnOnce(&Index) -> T) -> Reading<T> {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        // With the lock held: nothing is being told that the head has and the index has not.
        let told_up_to = index.told_up_to().unwrap_or_else(|| self.hub.bounds().head);
        let cursor = self.hub.id_behind(told_up_to);
        Reading { found: look(&index), cursor, version: format!("{}-{}", self.run.simple(), index.version()) }
    }
}
