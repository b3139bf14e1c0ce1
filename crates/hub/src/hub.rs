//! The hub: the log, its writer and the router, put together.
use crate::{
    audience::AudienceKey,
    audiences::Audiences,
    catch_up::{self, Step},
    entry::{Entry, Timestamp},
    log::{
        Bounds, Log, LogError,
        cursor::{self, Resolved},
        writer::{AppendError, Batches, Writer},
    },
    mailbox::Mailbox,
    opening::Opening,
    position::Offset,
    router::Router,
    subscription::{Start, Subscription},
    update::{EARLIEST, Update},
    window::WindowLimit,
};
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

/// Takes updates from publishers, gives them their place in the log, and delivers them to subscribers. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) audiences: Audiences,
    pub(crate) log: Arc<dyn Log>,
    writer: Writer,
    window: WindowLimit,
    reads: Arc<Semaphore>,
    pub(crate) joins: Arc<Semaphore>,
}

impl Hub {
    /// A hub over `log`. Starts the threads of the log's writer; they end when the last clone and the last subscription
    /// are gone.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read, or a thread cannot be started.
    pub fn start(log: Arc<dyn Log>, limits: &HubLimits) -> Result<Self, LogError> {
        let (router, routing) = Router::new();
        let writer = Writer::start(log.clone(), Timestamp::now, move |batches: Batches| routing.run(&batches))?;
        let (reads, joins) = (Semaphore::new(limits.concurrent_reads), Semaphore::new(CONCURRENT_JOINS));
        let (audiences, window) = (Audiences::new(limits.window), limits.window);
        Ok(Self(Arc::new(Shared { router, audiences, log, writer, window, reads: reads.into(), joins: joins.into() })))
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
    pub(crate) async fn resolve(self: Arc<Self>, requested: String) -> Result<Resolved, LogError> {
        if let Some(resolved) = cursor::resolve_position(&*self.log, &requested) {
            return Ok(resolved);
        }
        let permit = self.reads.clone().acquire_owned().await.expect("the semaphore is never closed");
        blocking(move || {
            let _permit = permit;
            cursor::resolve(&*self.log, &requested)
        })
        .await
    }

    /// Reads the log for who is in the audience with this key, once it is its turn.
    pub(crate) async fn read_on(self: Arc<Self>, key: Arc<AudienceKey>, cursor: Offset) -> Result<Step, LogError> {
        let permit = self.reads.clone().acquire_owned().await.expect("the semaphore is never closed");
        blocking(move || {
            let _permit = permit;
            catch_up::step(&*self.log, &key, cursor, Timestamp::now())
        })
        .await
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
