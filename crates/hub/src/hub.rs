//! The hub: the log, its writer and the router, put together.
pub use crate::shared::SETTLE_TIMEOUT;
use crate::{
    audience_key::AudienceKey,
    entry::{Entry, Timestamp},
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
    shared::{Shared, blocking},
    subscription::{Start, Subscription},
    topic::Topic,
    update::Update,
    window::WindowLimit,
};
use fanfare_event_stream::EventId;
use std::{fmt, sync::Arc};
use tokio::{runtime::Handle, sync::Semaphore};

/// The number of subscribers that may be about to join without the router having heard of them; others wait for their
/// turn.
pub const CONCURRENT_JOINS: usize = 1_024;

/// The bounds of a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubLimits {
    /// The most that an audience's window keeps.
    pub window: WindowLimit,
    /// The number of subscribers that may read the log at the same moment; others wait for their turn. Each reader
    /// takes a thread and about 200 KiB, or the largest update.
    pub concurrent_reads: usize,
}

impl Default for HubLimits {
    fn default() -> Self {
        Self { window: WindowLimit::default(), concurrent_reads: 8 }
    }
}

/// The updates to erase: those that fit all that is given.
#[derive(Clone, Debug)]
pub struct Erasing {
    /// The topic that they have.
    pub topic: Option<Topic>,
    /// The ID that they have.
    pub id: Option<EventId>,
    /// The time before which they were published.
    pub before: Option<Timestamp>,
    /// The topics that whoever erases them may publish.
    pub grant: Grant,
}

/// Takes updates from publishers, gives them their place in the log, and delivers them to subscribers. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

impl Hub {
    /// A hub over `log`. Starts the threads of the log's writer; they end when the last clone and the last subscription
    /// are gone.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read, or a thread cannot be started.
    pub fn start(log: Arc<dyn Log>, limits: &HubLimits) -> Result<Self, LogError> {
        let (requests, routing) = Routing::new();
        let clock = Arc::new(LogClock::of(&*log, Timestamp::now)?);
        let stamps = clock.clone();
        let writer = Writer::start(log.clone(), move || stamps.now(), routing)?;
        let router = Router::new(requests, writer.nudge());
        let (polled, window) = (Polled::new(&router, limits.window), limits.window);
        let reads = Arc::new(Semaphore::new(limits.concurrent_reads));
        let scans = Arc::new(Semaphore::new(limits.concurrent_reads.div_ceil(2)));
        let (joins, erases) = (Arc::new(Semaphore::new(CONCURRENT_JOINS)), Arc::new(Semaphore::new(1)));
        Ok(Self(Arc::new(Shared { router, polled, log, writer, window, clock, reads, scans, erases, joins })))
    }

    /// Publishes `updates` one behind the other, all or none, and returns their entries once they are durable.
    ///
    /// # Errors
    /// [`AppendError`] if the log did not take them.
    ///
    /// # Cancel safety
    /// If the future is dropped, the updates may still be published.
    pub async fn publish(&self, updates: Vec<Update>) -> Result<Vec<Arc<Entry>>, AppendError> {
        self.0.writer.append(updates).await
    }

    /// Publishes for somebody who is in no hurry, such as a publisher that was answered [`UNHURRIED`] ago or earlier:
    /// the log may wait for other publications, for [`GATHER_TIMEOUT`] at most, so that one sync serves all of them.
    /// Otherwise it does what [`Self::publish`] does.
    ///
    /// [`UNHURRIED`]: crate::log::writer::gather::UNHURRIED
    /// [`GATHER_TIMEOUT`]: crate::log::writer::gather::GATHER_TIMEOUT
    ///
    /// # Errors
    /// [`AppendError`] if the log did not take them.
    ///
    /// # Cancel safety
    /// If the future is dropped, the updates may still be published.
    pub async fn publish_with_others(&self, updates: Vec<Update>) -> Result<Vec<Arc<Entry>>, AppendError> {
        self.0.writer.append_with_others(updates).await
    }

    /// Erases updates with a topic: those whose topics may all be published by whoever erases them. Others are kept,
    /// and counted. From the moment in which this returns nobody is shown what was erased.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read, or cannot make it durable.
    ///
    /// # Cancel safety
    /// If the future is dropped, the updates may still be erased.
    pub async fn erase(&self, erasing: Erasing) -> Result<Erased, LogError> {
        // What was published before is erased too.
        self.0.drain().await;
        let hub = self.0.clone();
        // One after the other, so that many of them do not take all threads that may block.
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

    /// The time of the log, which stamps what is published now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Waits until the publications that are in the queue to the log are in the log, at most for [`SETTLE_TIMEOUT`].
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub async fn settle(&self) {
        self.0.drain().await;
    }

    /// Subscribes. Every matching update that is published after this returns will be delivered, and with
    /// [`Start::After`] everything that follows that ID, too.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn subscribe(&self, key: AudienceKey, start: Start) -> Result<Subscription, LogError> {
        Ok(self.open(key, start).await?.subscribe().await)
    }

    /// Decides where a subscription begins, without beginning it.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    ///
    /// # Cancel safety
    /// Nothing has happened when the future is dropped.
    pub async fn open(&self, key: AudienceKey, start: Start) -> Result<Opening, LogError> {
        Opening::of(self.0.clone(), key, start).await
    }

    /// A mailbox for one thread that delivers to many subscribers. `wake` is called from other threads when there is
    /// something in it.
    ///
    /// # Panics
    /// Outside a tokio runtime, on which the log will be read.
    #[must_use]
    pub fn mailbox(&self, wake: impl Fn() + Send + Sync + 'static) -> Mailbox {
        Mailbox::new(self.0.clone(), Box::new(wake), Handle::current())
    }

    /// The most that a window keeps.
    #[must_use]
    pub fn window_limit(&self) -> WindowLimit {
        self.0.window
    }

    /// The ID that stands for the place behind `offset`: whoever presents it gets what follows.
    #[must_use]
    pub fn id_behind(&self, offset: Offset) -> String {
        self.0.id_behind(offset)
    }

    /// The entries that the log holds.
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
