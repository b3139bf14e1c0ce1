//! Active subscriptions: who is subscribed to which topics. The hub publishes each change, and answers requests for the
//! list of active subscriptions ([Mercure, active subscriptions](https://mercure.rocks/spec#active-subscriptions), both
//! revisions).
//!
//! A subscriber arrives (`Arrival`), becomes `Present` when its stream begins, and leaves when the `Present` is
//! dropped, however its stream ends. Its beginning and its end are messages to the `teller`. The teller publishes these
//! changes in the order in which they happen, in batches, and keeps the `index` of the subscribers that it has
//! published. `document` makes the documents that are published, in the shapes of both revisions, and [`api`] answers
//! from the index. The index is in memory: after a kill and a restart, the new hub does not list the old subscriptions,
//! although their end was never published.
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

/// The greatest number of subscribers that have left and whose end is not published yet. When it is reached, new
/// subscribers wait, so that the end of every subscriber is published.
pub const MAX_UNTOLD: usize = 4_096;
/// The longest time that a request for the active subscriptions waits for the publication of all earlier changes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A handle to the teller and the index. The handle is cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ActiveSubscriptions {
    hub: Hub,
    /// The sending side of the messages to the teller. The number of waiting messages is bounded by `room` and by the
    /// number of clients that ask for the active subscriptions.
    requests: mpsc::UnboundedSender<Request>,
    /// The permits for subscribers. A subscriber gets a permit before its stream begins, and the permit is returned
    /// when the end of its subscriptions is published.
    room: Arc<Semaphore>,
    /// The index. The teller and the requests for the active subscriptions lock it; delivery and subscribing never do.
    /// Lock order: this lock is taken before the locks of the log.
    index: Arc<Mutex<Index>>,
    /// An ID that distinguishes the documents of this process from documents of earlier processes.
    run: Uuid,
}

impl ActiveSubscriptions {
    /// Starts the task that publishes subscriptions, for at most `max_subscribers` subscribers at a time.
    ///
    /// # Panics
    /// If it is called outside a tokio runtime.
    pub(crate) fn start(hub: Hub, max_subscribers: usize) -> Self {
        let (requests, receiver) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new((max_subscribers.saturating_add(MAX_UNTOLD)).min(Semaphore::MAX_PERMITS)));
        let index = Arc::<Mutex<Index>>::default();
        let (teller, told) = (Teller::new(hub.clone(), receiver, room.clone(), index.clone()), hub.clone());
        tokio::spawn(async move { told.essential("the task that publishes active subscriptions", teller.run()).await });
        Self { hub, requests, room, index, run: Uuid::new_v4() }
    }

    /// Takes in a subscriber. Nothing is published about the subscriber until its stream begins. This call waits while
    /// the ends of too many other subscribers are not published yet.
    ///
    /// # Errors
    /// [`Problem::Untold`] if the log is closed, so that no change can be published any more.
    ///
    /// # Cancel safety
    /// If the future is dropped before it has resolved, nothing has changed.
    pub(crate) async fn arrive(&self, key: &AudienceKey, payloads: &Payloads) -> Result<Arrival, Problem> {
        let room = self.room.clone().acquire_owned().await.map_err(|_| Problem::Untold)?;
        Ok(Arrival::new(Subscriber::payloads(key, payloads), room, self.requests.clone()))
    }

    /// Waits until all changes that happened before this call are published.
    ///
    /// # Errors
    /// [`Problem::Untold`] if the log does not accept the changes in time.
    pub(crate) async fn all_told(&self) -> Result<(), Problem> {
        timeout(PATIENCE, self.ask()).await.unwrap_or(Err(Problem::Untold))
    }

    /// Waits until all changes that happened before this call are published, without a time limit. The server calls
    /// this when it stops.
    pub(crate) async fn tell_all(&self) {
        if self.ask().await.is_err() {
            tracing::warn!("the ends of some subscriptions were not published");
        }
    }

    async fn ask(&self) -> Result<(), Problem> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Ask(answer)).map_err(|_| Problem::Untold)?;
        answered.await.map_err(|_| Problem::Untold)
    }

    /// Reads the index with `look`. Returns what `look` returns, and the cursor after which the changes follow that
    /// `look` has not seen.
    fn read<T>(&self, look: impl FnOnce(&Index) -> T) -> Reading<T> {
        let index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        // The teller cannot begin a batch while this lock is held. So if no batch is being appended to the log, every
        // change up to the newest event of the log is also in the index.
        let told_up_to = index.told_up_to().unwrap_or_else(|| self.hub.bounds().head);
        let cursor = self.hub.id_behind(told_up_to);
        Reading { found: look(&index), cursor, version: format!("{}-{}", self.run.simple(), index.version()) }
    }
}
