//! The hub: connects the log, its writer and the router, and offers the operations on them.
pub use crate::shared::SETTLE_TIMEOUT;
use crate::{
    audience_key::AudienceKey,
    budget::{Budgets, Ledger, OverBudget, Taken},
    entry::{Entry, Timestamp},
    failure::Failure,
    grant::Grant,
    log::{
        Bounds, Log, LogError,
        clock::LogClock,
        erase::{Erase, Erased},
        writer::{AppendError, Writer},
    },
    mailbox::Mailbox,
    opening::Opening,
    polled::Polled,
    position::Offset,
    router::{Router, Routing},
    shared::{Permits, Shared, blocking},
    subscription::{Start, Subscription},
    topic::Topic,
    update::Update,
    window::WindowLimit,
};
use fanfare_event_stream::EventId;
use std::{fmt, sync::Arc};
use tokio::{runtime::Handle, sync::Semaphore};

/// The greatest number of subscribers that may be joining at the same time. A subscriber is joining until the router
/// has handled its request for events. Further subscribers wait.
pub const CONCURRENT_JOINS: usize = 1_024;

/// The limits of a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubLimits {
    /// The limit of each audience's window, which keeps the newest events in memory.
    pub window: WindowLimit,
    /// The number of subscribers that may read the log at the same time. Further subscribers wait. Each reader takes a
    /// thread, and about 200 KiB of memory, or as much as the largest update if that is more.
    pub concurrent_reads: usize,
    /// The budgets of all subscriptions together, for what they make the hub hold and do.
    pub budgets: Budgets,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self { window: WindowLimit::default(), concurrent_reads: 8, budgets: Budgets::default() }
    }
}

/// The conditions for updates to be erased. An update is erased if it meets all of them; a condition that is `None`
/// holds for every update.
#[derive(Clone, Debug)]
pub struct Erasing {
    /// The topic that an update must have to be erased; `None` for any topic.
    pub topic: Option<Topic>,
    /// The ID that an update must have to be erased; `None` for any ID.
    pub id: Option<EventId>,
    /// The time before which an update must have been published to be erased; `None` for any time.
    pub before: Option<Timestamp>,
    /// The grant of the client that erases. The client may only erase updates that it may publish.
    pub grant: Grant,
}

/// The hub: takes updates from publishers, gives them their positions in the log, and delivers them to subscribers. A
/// clone is cheap.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

impl Hub {
    /// Returns a hub that works on `log`. Starts the threads of the log's writer; they end when the last clone of the
    /// hub and the last subscription are dropped.
    ///
    /// # Errors
    /// [`LogError`] if a thread cannot be started.
    pub fn start(log: Arc<dyn Log>, limits: &HubLimits) -> Result<Self, LogError> {
        let (requests, routing) = Routing::new();
        let clock = Arc::new(LogClock::of(&*log, Timestamp::now));
        let stamps = clock.clone();
        let writer = Writer::start(log.clone(), move || stamps.now(), routing)?;
        let router = Router::new(requests, writer.nudge());
        let (polled, window) = (Polled::new(&router, limits.window, writer.failures()), limits.window);
        let permits = Permits::new(limits.concurrent_reads);
        let strangers = Permits::new((limits.concurrent_reads - limits.concurrent_reads.div_ceil(4)).max(1));
        let (joins, erases) = (Arc::new(Semaphore::new(CONCURRENT_JOINS)), Arc::new(Semaphore::new(1)));
        let ledger = Arc::new(Ledger::new(limits.budgets));
        let shared = Shared { router, polled, log, writer, window, clock, permits, strangers, erases, joins, ledger };
        Ok(Self(Arc::new(shared)))
    }

    /// Publishes either all of `updates`, with no other update between them, or none. Returns their entries when they
    /// are durable.
    ///
    /// # Errors
    /// [`AppendError`] if the log did not append the updates.
    ///
    /// # Cancel safety
    /// If the future is dropped, the updates may still be published.
    pub async fn publish(&self, updates: Vec<Update>) -> Result<Vec<Arc<Entry>>, AppendError> {
        self.0.writer.append(updates).await
    }

    /// Does the same as [`Self::publish`] for a publisher that is not in a hurry, such as one whose last publication
    /// was answered at least [`UNHURRIED`] ago. The writer may wait for other publications, at most for
    /// [`GATHER_TIMEOUT`], so that one sync serves all of them.
    ///
    /// [`UNHURRIED`]: crate::log::writer::gather::UNHURRIED
    /// [`GATHER_TIMEOUT`]: crate::log::writer::gather::GATHER_TIMEOUT
    ///
    /// # Errors
    /// [`AppendError`] if the log did not append the updates.
    ///
    /// # Cancel safety
    /// If the future is dropped, the updates may still be published.
    pub async fn publish_with_others(&self, updates: Vec<Update>) -> Result<Vec<Arc<Entry>>, AppendError> {
        self.0.writer.append_with_others(updates).await
    }

    /// Erases each update that meets the conditions of `erasing`, if the grant in `erasing` allows to publish all
    /// topics of the update. Otherwise the update stays in the log; the result has the number of these updates. After
    /// this call returns, no reader gets an erased update any more.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read, or cannot store the erasure durably.
    ///
    /// # Cancel safety
    /// If the future is dropped, the updates may still be erased.
    pub async fn erase(&self, erasing: Erasing) -> Result<Erased, LogError> {
        // Waits until the publications in the queue are in the log, so that they can be erased too.
        self.0.drain().await;
        let hub = self.0.clone();
        // Erasures run one after the other, so that many of them do not occupy all threads on which the log is read.
        let turn = hub.erases.clone().acquire_owned().await.expect("the semaphore is never closed");
        blocking(move || {
            let _turn = turn;
            let Erasing { topic, id, before, grant } = &erasing;
            let may = |topics: &[Topic]| topics.iter().all(|topic| grant.publish.matches(topic));
            let erase = Erase { topic: topic.as_ref(), id: id.as_ref(), before: *before, may: &may };
            hub.log.erase(&erase, hub.clock.now())
        })
        .await
    }

    /// Checks whether the log can append updates now, after the publications that are in the queue to the log.
    ///
    /// # Errors
    /// [`AppendError`] with the reason why it cannot.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing has happened.
    pub async fn can_append(&self) -> Result<(), AppendError> {
        self.0.writer.append(Vec::new()).await.map(drop)
    }

    /// Waits until the hub cannot do its work any more, and returns the reason. The process then has to end and to be
    /// started again; see [`Failure`]. An error of the log after which the hub goes on, such as a full disk, is no
    /// failure.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost: a later call returns the same failure.
    pub async fn failed(&self) -> Failure {
        self.0.writer.failures().wait().await
    }

    /// Does `work`, without which the hub cannot do its own: if `work` panics, the hub has failed. `what` names it in
    /// the failure.
    pub async fn essential<T>(&self, what: &'static str, work: impl Future<Output = T>) -> T {
        let _guard = self.0.writer.failures().on_panic(what);
        work.await
    }

    /// The reason why the hub cannot do its work any more; `None` as long as it can.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        self.0.writer.failures().first()
    }

    /// Declares that the hub cannot do its work any more. A server calls this function if it cannot deliver. If the hub
    /// has failed before, the earlier failure counts.
    pub fn fail(&self, failure: Failure) {
        self.0.writer.failures().tell(failure);
    }

    /// The current time of the log's clock, from which entries get their time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Waits until the publications that are in the queue to the log have been appended, at most for
    /// [`SETTLE_TIMEOUT`].
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing is lost.
    pub async fn settle(&self) {
        self.0.drain().await;
    }

    /// Charges the audience `key` to the [budgets](HubLimits::budgets), and returns its key for [`open`](Self::open) or
    /// [`subscribe`](Self::subscribe). The charge is given back when the last copy of the returned key is dropped, by
    /// the caller and by the hub. An audience that others are members of costs nothing.
    ///
    /// The hub does not limit what audiences take that were not admitted.
    ///
    /// # Errors
    /// [`OverBudget`] if the audience would exceed a budget.
    pub fn admit(&self, key: AudienceKey) -> Result<AudienceKey, OverBudget> {
        self.0.ledger.admit(key)
    }

    /// The amounts that all audiences take now that were [admitted](Self::admit).
    #[must_use]
    pub fn taken(&self) -> Taken {
        self.0.ledger.taken()
    }

    /// Makes a subscription for the audience `key`. Every matching update that is published after this call returns is
    /// delivered. With [`Start::After`], every matching update after that ID is delivered, too.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read.
    ///
    /// # Panics
    /// If it is called outside a tokio runtime.
    pub async fn subscribe(&self, key: AudienceKey, start: Start) -> Result<Subscription, LogError> {
        Ok(self.open(key, start).await?.subscribe().await)
    }

    /// Finds the position where a subscription begins, but does not begin the subscription.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read.
    ///
    /// # Panics
    /// If it is called outside a tokio runtime.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing has happened.
    pub async fn open(&self, key: AudienceKey, start: Start) -> Result<Opening, LogError> {
        Opening::of(self.0.clone(), key, start).await
    }

    /// Returns a mailbox for one thread that delivers to many subscribers. `wake` is called from other threads when the
    /// mailbox has something for its owner.
    ///
    /// # Panics
    /// If it is called outside a tokio runtime. The runtime is needed to read the log.
    #[must_use]
    pub fn mailbox(&self, wake: impl Fn() + Send + Sync + 'static) -> Mailbox {
        Mailbox::new(self.0.clone(), Box::new(wake), Handle::current())
    }

    /// The limit of each audience's window, which keeps the newest events in memory.
    #[must_use]
    pub fn window_limit(&self) -> WindowLimit {
        self.0.window
    }

    /// The ID that names the position `offset`. A subscriber that sends this ID as its last event ID gets the updates
    /// after the offset.
    #[must_use]
    pub fn id_behind(&self, offset: Offset) -> String {
        self.0.id_behind(offset)
    }

    /// The bounds of the log: the oldest offset that it holds and the last offset that was ever appended.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.0.log.bounds()
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("bounds", &self.bounds()).finish_non_exhaustive()
    }
}
