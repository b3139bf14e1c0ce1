//! The state that a hub shares with its subscriptions and mailboxes, and the limit on how many of them read the log at
//! the same time.
use crate::{
    audience_key::AudienceKey,
    budget::Ledger,
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
    rewind_search::RewindSearch,
    router::Router,
    run::Run,
    update::EARLIEST,
    window::WindowLimit,
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task, time::timeout};

/// The longest time for which a reader of the log waits for publications that are still in the queue.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct Shared {
    pub(crate) router: Router,
    pub(crate) polled: Polled,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) writer: Writer,
    pub(crate) window: WindowLimit,
    pub(crate) clock: Arc<LogClock>,
    /// The permits to read the log.
    pub(crate) permits: Permits,
    /// The permits that subscribers without a token need besides. There are three quarters as many of them, so that a
    /// subscriber with a token need not wait for all strangers that came before it: only those who have one of these
    /// permits can be before it.
    pub(crate) strangers: Permits,
    /// The permit to erase. There is only one, so erasures run one after the other.
    pub(crate) erases: Arc<Semaphore>,
    pub(crate) joins: Arc<Semaphore>,
    /// The account of what all subscriptions take.
    pub(crate) ledger: Arc<Ledger>,
}

impl Shared {
    pub(crate) fn bounds(&self) -> Bounds {
        self.log.bounds()
    }

    /// Waits until the publications that are in the queue to the log are appended, at most for [`SETTLE_TIMEOUT`].
    /// After this time, the caller reads what the log has: a log that cannot append can still be read.
    pub(crate) async fn drain(&self) {
        let _ = timeout(SETTLE_TIMEOUT, self.writer.append(Vec::new())).await;
    }

    /// The ID of the position `offset`, `#<epoch>-<offset>`.
    pub(crate) fn place(&self, offset: Offset) -> String {
        catch_up::id_of(&*self.log, offset)
    }

    /// The ID that names the position `offset` in a response header: `earliest` for the position before all entries.
    pub(crate) fn id_behind(&self, offset: Offset) -> String {
        if offset == Offset::ZERO { EARLIEST.into() } else { self.place(offset) }
    }

    /// Finds the position of the ID `requested`. The log has to be searched only for an ID that a publisher chose.
    pub(crate) async fn resolve(
        self: Arc<Self>,
        requested: String,
        key: Arc<AudienceKey>,
    ) -> Result<Resolved, LogError> {
        if let Some(resolved) = cursor::resolve_position(&*self.log, &requested) {
            return Ok(resolved);
        }
        let reads = Reads::some(&key);
        self.reading(reads, move |hub| cursor::resolve(&*hub.log, &requested, &key, hub.clock.now())).await
    }

    /// Finds the position before the first update that was published at `time` or later.
    pub(crate) async fn place_at(self: Arc<Self>, time: Timestamp, key: &AudienceKey) -> Result<Offset, LogError> {
        self.reading(Reads::some(key), move |hub| hub.log.place_at(time)).await
    }

    /// Finds the newest `count` updates of each topic and pattern that the audience `key` subscribed to, among the
    /// entries up to the offset `head`.
    pub(crate) async fn find_newest(
        self: Arc<Self>,
        key: Arc<AudienceKey>,
        count: usize,
        head: Offset,
    ) -> Result<Rewind, LogError> {
        let mut reads = Reads::of(&key);
        let (mut search, mut room) = (RewindSearch::new(key.clone(), count, head), None);
        loop {
            let step = move |hub: &Self| {
                let found = search.step(&*hub.log, hub.clock.now())?;
                Ok((found, search))
            };
            let (found, rest) = self.clone().reading(reads, step).await?;
            drop(room.take());
            if let Some(mut rewind) = found {
                // The rewind waits for its turn to be read.
                if key.charged.is_some() {
                    rewind.keep(
                        self.ledger.reserve(rewind.held_bytes(), key.is_anonymous).map_err(LogError::OverBudget)?,
                    );
                }
                return Ok(rewind);
            }
            // What was found so far is in memory while the search waits for its next step.
            let reserve = || self.ledger.reserve(rest.held_bytes(), key.is_anonymous).map_err(LogError::OverBudget);
            room = key.charged.is_some().then(reserve).transpose()?;
            // A search that goes far back may find nothing up to the beginning of the log.
            (search, reads) = (rest, reads.barren());
        }
    }

    /// Reads the next step of a rewind, and returns its bytes and the rest of the rewind.
    pub(crate) async fn rewind(
        self: Arc<Self>,
        key: Arc<AudienceKey>,
        mut rewind: Rewind,
    ) -> Result<(Bytes, Rewind), LogError> {
        self.reading(Reads::some(&key), move |hub| {
            let bytes = Bytes::from(rewind.step(&*hub.log, &key, hub.clock.now())?);
            if !key.charged.is_some() {
                return Ok((bytes, rewind));
            }
            rewind.release();
            let held = bytes.len() + rewind.held_bytes();
            let room = hub.ledger.reserve(held, key.is_anonymous).map_err(LogError::OverBudget)?;
            rewind.keep(room.clone());
            Ok((room.hold(bytes), rewind))
        })
        .await
    }

    /// Reads the next step after `cursor` for the audience with this key, as soon as a permit to read the log is free.
    /// `is_barren` is true if the step before has found nothing.
    pub(crate) async fn read_on(
        self: Arc<Self>,
        key: Arc<AudienceKey>,
        cursor: Offset,
        is_barren: bool,
    ) -> Result<Step, LogError> {
        let reads = if is_barren { Reads::of(&key).barren() } else { Reads::of(&key) };
        self.reading(reads, move |hub| {
            let step = catch_up::step(&*hub.log, &key, cursor, hub.clock.now())?;
            let charge = |run: Run| run.charged(&hub.ledger, key.is_anonymous).map_err(LogError::OverBudget);
            let run = if key.charged.is_some() { step.run.map(charge).transpose()? } else { step.run };
            Ok(Step { run, ..step })
        })
        .await
    }

    /// Calls `read` on a thread that may block, as soon as a permit to read the log is free.
    async fn reading<T: Send + 'static>(
        self: Arc<Self>,
        reads: Reads,
        read: impl FnOnce(&Self) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, LogError> {
        let acquired = "the semaphore is never closed";
        let Reads { are_all, are_barren, are_strangers } = reads;
        // Everybody takes permits in this order.
        let mut permits = Vec::with_capacity(6);
        let own = are_strangers.then_some(&self.strangers);
        for Permits { reads, scans, barren } in own.into_iter().chain([&self.permits]) {
            let shares = [(are_barren, barren), (are_all, scans), (true, reads)];
            for (_, share) in shares.into_iter().filter(|(is_needed, _)| *is_needed) {
                permits.push(Arc::clone(share).acquire_owned().await.expect(acquired));
            }
        }
        blocking(move || {
            let _permits = permits;
            read(&self)
        })
        .await
    }
}

/// Permits to read the log.
#[derive(Debug)]
pub(crate) struct Permits {
    /// The permits to read anything.
    reads: Arc<Semaphore>,
    /// The permits to read all entries of the log, which a pattern needs. There are half as many of them as of `reads`,
    /// rounded up, so that readers for exact topics need not wait for readers for patterns.
    scans: Arc<Semaphore>,
    /// The permits to go on reading the log after a step that has found nothing. There are a quarter as many of them as
    /// of `reads`, rounded up, so that readers who find something need not wait for those who do not. A search for the
    /// newest updates counts as such a reader when its first step has not ended it.
    barren: Arc<Semaphore>,
}

impl Permits {
    /// Returns permits for so many readers at the same time.
    pub(crate) fn new(reads: usize) -> Self {
        let permits = |count| Arc::new(Semaphore::new(count));
        Self { reads: permits(reads), scans: permits(reads.div_ceil(2)), barren: permits(reads.div_ceil(4)) }
    }
}

/// What a reader needs permits for.
#[derive(Clone, Copy, Debug)]
struct Reads {
    /// True if all entries of the log are read, and false if only those that an index names.
    are_all: bool,
    /// True if the reader has found nothing so far.
    are_barren: bool,
    /// True if the reader is a subscriber without a token.
    are_strangers: bool,
}

impl Reads {
    /// Reads of entries that an index names, for this audience.
    fn some(key: &AudienceKey) -> Self {
        Self { are_all: false, are_barren: false, are_strangers: key.is_anonymous }
    }

    /// Reads of the entries for this audience.
    fn of(key: &AudienceKey) -> Self {
        Self { are_all: key.has_pattern(), ..Self::some(key) }
    }

    /// The same reads after one that has found nothing.
    fn barren(self) -> Self {
        Self { are_barren: true, ..self }
    }
}

/// Runs `work`, which may wait for a disk, on a thread that may block. If the future is dropped, the work still
/// finishes, but its result is lost.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => std::future::pending().await,
        },
    }
}
