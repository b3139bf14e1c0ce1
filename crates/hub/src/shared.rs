//! The parts of a hub, which everything that belongs to it shares; and whose turn it is to read the log.
use crate::{
    audience_key::AudienceKey,
    catch_up::{self, Step},
    entry::Timestamp,
    log::{
        Bounds, Log, LogError,
        clock::LogClock,
        cursor::{self, Resolved},
        writer::Writer,
    },
    polled::Polled,
    position::Offset,
    rewind::Rewind,
    router::Router,
    update::EARLIEST,
    window::WindowLimit,
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task, time::timeout};

/// The longest time for which a reader of what the log holds waits for publications that are on their way into it.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) polled: Polled,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) writer: Writer,
    pub(crate) window: WindowLimit,
    pub(crate) clock: Arc<LogClock>,
    pub(crate) reads: Arc<Semaphore>,
    /// The permits to read everything in the log, to find what a pattern matches. They leave reads to the others.
    pub(crate) scans: Arc<Semaphore>,
    /// The permit to erase.
    pub(crate) erases: Arc<Semaphore>,
    pub(crate) joins: Arc<Semaphore>,
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

/// The part of the log that a reader has to look at.
#[derive(Clone, Copy, Debug)]
enum Reads {
    /// The entries that an index leads to.
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
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}
