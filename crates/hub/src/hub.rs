//! The hub: the log, its writer and the router, put together.
use crate::{
    audience::{Audience, AudienceKey},
    catch_up::{self, Step},
    entry::{Entry, Timestamp},
    gap::Gap,
    log::{
        Bounds, Log, LogError, cursor,
        writer::{AppendError, Writer},
    },
    position::Offset,
    router::Router,
    subscription::{Start, Subscription},
    update::{EARLIEST, Update},
    window::WindowLimit,
};
use std::{fmt, sync::Arc};
use tokio::{sync::Semaphore, task};

/// The bounds of a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HubLimits {
    /// What an audience's window keeps.
    pub window: WindowLimit,
    /// How many subscribers may read the log at the same moment; others wait for their turn. Each reader takes a thread
    /// and about 200 KiB, or the largest update.
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
    pub(crate) router: Arc<Router>,
    log: Arc<dyn Log>,
    writer: Writer,
    reads: Arc<Semaphore>,
}

impl Hub {
    /// A hub over `log`. Starts the threads of the log's writer; they end when the last clone and the last subscription
    /// are gone.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read, or a thread cannot be started.
    pub fn start(log: Arc<dyn Log>, limits: &HubLimits) -> Result<Self, LogError> {
        let router = Arc::new(Router::new(log.bounds().head, limits.window));
        let fan_out = router.clone();
        let writer = Writer::start(log.clone(), Timestamp::now, move |entries: &[Arc<Entry>]| fan_out.route(entries))?;
        let reads = Arc::new(Semaphore::new(limits.concurrent_reads));
        Ok(Self(Arc::new(Shared { router, log, writer, reads })))
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

    /// Subscribes. Every matching update that is published after this returns will be delivered, and with
    /// [`Start::After`] everything that follows that ID, too.
    ///
    /// # Errors
    /// [`LogError`] if the log cannot be read.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub async fn subscribe(&self, key: AudienceKey, start: Start) -> Result<Subscription, LogError> {
        let shared = &self.0;
        // Joining before the cursor is resolved: whatever is routed from here on is in the window, whatever is not is in
        // the log, and the cursor decides between them.
        let (audience, member) = shared.router.join(key);
        let head = shared.log.bounds().head;
        let mut subscription = Subscription::new(shared.clone(), (audience, member), head, shared.cursor_at(head));
        if let Start::After(requested) = start {
            let opening = shared.clone().resolve(requested).await?;
            subscription.begin(opening);
        }
        Ok(subscription)
    }

    /// What the log holds.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.0.log.bounds()
    }
}

/// Where a subscription that asked for a cursor begins.
pub(crate) struct Opening {
    pub(crate) cursor: Offset,
    pub(crate) resumed_from: String,
    pub(crate) gap: Option<Gap>,
}

impl Shared {
    /// The ID that stands for the place behind `offset`.
    fn cursor_at(&self, offset: Offset) -> String {
        if offset == Offset::ZERO { EARLIEST.into() } else { catch_up::id_of(&*self.log, offset) }
    }

    async fn resolve(self: Arc<Self>, requested: String) -> Result<Opening, LogError> {
        let permit = self.reads.clone().acquire_owned().await.expect("the semaphore is never closed");
        blocking(move || {
            let _permit = permit;
            let resolved = cursor::resolve(&*self.log, &requested)?;
            let Some(reason) = resolved.gap else {
                return Ok(Opening { cursor: resolved.after, resumed_from: requested, gap: None });
            };
            let resumed_from = catch_up::id_of(&*self.log, resolved.after);
            let first_held = resolved.after < self.log.bounds().oldest;
            let answer = if first_held { EARLIEST.into() } else { resumed_from.clone() };
            let gap = Some(Gap { requested, resumed_from, reason });
            Ok(Opening { cursor: resolved.after, resumed_from: answer, gap })
        })
        .await
    }

    /// Reads the log for a member of `audience`, once it is its turn.
    pub(crate) async fn read_on(self: Arc<Self>, audience: Arc<Audience>, cursor: Offset) -> Result<Step, LogError> {
        let permit = self.reads.clone().acquire_owned().await.expect("the semaphore is never closed");
        blocking(move || {
            let _permit = permit;
            catch_up::step(&*self.log, &audience.key, cursor, Timestamp::now())
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
