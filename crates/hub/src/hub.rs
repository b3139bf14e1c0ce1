//! The hub: the log, its writer and the router, put together.
use crate::{
    audience::AudienceKey,
    audiences::Audiences,
    catch_up::{self, Step},
    entry::{Entry, Timestamp},
    grant::Grant,
    log::{
        Bounds, Log, LogError,
        clock::LogClock,
        cursor::{self, Resolved},
        erase::{Erase, Erased},
        writer::{AppendError, Writer},
    },
    mailbox::Mailbox,
    opening::Opening,
    position::Offset,
    rewind::Rewind,
    router::{Router, Routing},
    subscription::{Start, Subscription},
    topic::Topic,
    update::{EARLIEST, Update},
    window::WindowLimit,
};
use bytes::Bytes;
use fanfare_event_stream::EventId;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::Semaphore, task, time::timeout};

/// The number of subscribers that may be about to join without the router having heard of them; others wait for their
/// turn.
pub const CONCURRENT_JOINS: usize = 1_024;

/// The longest time for which a reader of what the log holds waits for publications that are on their way into it.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);

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

/// Which updates are to be erased: those that fit all that is given.
#[derive(Clone, Debug)]
pub struct Erasing {
    /// Those with this topic.
    pub topic: Option<Topic>,
    /// Those with this ID.
    pub id: Option<EventId>,
    /// Those that were published before this.
    pub before: Option<Timestamp>,
    /// The topics that whoever erases them may publish.
    pub grant: Grant,
}

/// Takes updates from publishers, gives them their place in the log, and delivers them to subscribers. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) audiences: Audiences,
    pub(crate) log: Arc<dyn Log>,
    writer: Writer,
    window: WindowLimit,
    clock: Arc<LogClock>,
    reads: Arc<Semaphore>,
    /// Those who may read everything in the log, to find what a pattern matches. They leave reads to the others.
    scans: Arc<Semaphore>,
    /// Whose turn it is to erase.
    erases: Arc<Semaphore>,
    pub(crate) joins: Arc<Semaphore>,
}

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
        let (audiences, window) = (Audiences::new(limits.window), limits.window);
        let reads = Arc::new(Semaphore::new(limits.concurrent_reads));
        let scans = Arc::new(Semaphore::new(limits.concurrent_reads.div_ceil(2)));
        let (joins, erases) = (Arc::new(Semaphore::new(CONCURRENT_JOINS)), Arc::new(Semaphore::new(1)));
        Ok(Self(Arc::new(Shared { router, audiences, log, writer, window, clock, reads, scans, erases, joins })))
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

    /// Publishes for somebody who is in no hurry, such as a publisher that was answered [`UNHURRIED`] ago or earlier: the
    /// log may wait for other publications, for [`GATHER_TIMEOUT`] at most, so that one sync serves all of them.
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

    /// Erases updates with a topic: those whose topics may all be published by whoever erases them. Others are kept, and
    /// counted. From the moment in which this returns nobody is shown what was erased.
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

impl Shared {
    pub(crate) fn bounds(&self) -> Bounds {
        self.log.bounds()
    }

    /// Waits until the publications that are in the queue to the log are appended. A log that cannot append, or hangs,
    /// can still be read: then this ends as well.
    pub(crate) async fn drain(&self) {
        let _ = timeout(SETTLE_TIMEOUT, self.writer.append(Vec::new())).await;
    }

    /// The ID that stands for the place behind `offset`.
    pub(crate) fn id_behind(&self, offset: Offset) -> String {
        if offset == Offset::ZERO { EARLIEST.into() } else { catch_up::id_of(&*self.log, offset) }
    }

    /// Finds the place that `requested` names. Only an ID that a publisher chose has to be looked up.
    pub(crate) async fn resolve(
        self: Arc<Self>,
        requested: String,
        key: Arc<AudienceKey>,
    ) -> Result<Resolved, LogError> {
        if let Some(resolved) = cursor::resolve_position(&*self.log, &requested) {
            return Ok(resolved);
        }
        self.reading(Reads::Some, move |hub| cursor::resolve(&*hub.log, &requested, &key, hub.clock.now())).await
    }

    /// Finds the place before what was published at `time` or later.
    pub(crate) async fn place_at(self: Arc<Self>, time: Timestamp) -> Result<Offset, LogError> {
        self.reading(Reads::Some, move |hub| hub.log.place_at(time)).await
    }

    /// Finds the newest updates of each topic that was subscribed to.
    pub(crate) async fn find_newest(
        self: Arc<Self>,
        key: Arc<AudienceKey>,
        count: usize,
        head: Offset,
    ) -> Result<Rewind, LogError> {
        let reads = Reads::of(&key);
        self.reading(reads, move |hub| Rewind::find(&*hub.log, &key, count, head, hub.clock.now())).await
    }

    /// Makes the next step of a rewind, and returns what is left of it.
    pub(crate) async fn rewind(
        self: Arc<Self>,
        key: Arc<AudienceKey>,
        mut rewind: Rewind,
    ) -> Result<(Bytes, Rewind), LogError> {
        self.reading(Reads::Some, move |hub| {
            let bytes = rewind.step(&*hub.log, &key, hub.clock.now())?;
            Ok((bytes.into(), rewind))
        })
        .await
    }

    /// Reads the log for who is in the audience with this key, once it is its turn.
    pub(crate) async fn read_on(self: Arc<Self>, key: Arc<AudienceKey>, cursor: Offset) -> Result<Step, LogError> {
        let reads = Reads::of(&key);
        self.reading(reads, move |hub| catch_up::step(&*hub.log, &key, cursor, hub.clock.now())).await
    }

    /// Reads the log once it is this reader's turn.
    async fn reading<T: Send + 'static>(
        self: Arc<Self>,
        reads: Reads,
        read: impl FnOnce(&Self) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let acquired = "the semaphore is never closed";
        let scan = match reads {
            Reads::All => Some(self.scans.clone().acquire_owned().await.expect(acquired)),
            Reads::Some => None,
        };
        let permit = self.reads.clone().acquire_owned().await.expect(acquired);
        blocking(move || {
            let _permits = (permit, scan);
            read(&self)
        })
        .await
    }
}

/// How much of the log a reader has to look at.
#[derive(Clone, Copy, Debug)]
enum Reads {
    /// What an index leads to.
    Some,
    /// Everything.
    All,
}

impl Reads {
    fn of(key: &AudienceKey) -> Self {
        if key.exact_topics().is_some() { Self::Some } else { Self::All }
    }
}

/// Runs what may wait for a disk on a thread that may wait. It goes on when the future is dropped, and is of no effect.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("bounds", &self.bounds()).finish_non_exhaustive()
    }
}
