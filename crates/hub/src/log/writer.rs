//! The writer: the only caller of [`Log::append`], so it alone decides the order of the updates.
//!
//! One thread takes publications from a bounded queue, and appends all waiting ones as one batch, with one sync for all
//! of them. The module [`gather`] decides whether the thread waits for more publications first. After the sync, each
//! publication is acknowledged, and the entries are passed to the [`sink`] in the order of the log. The same thread
//! does this as long as it takes little time; otherwise a second thread does it while the first thread makes the next
//! batch durable. Between batches, the first thread has the log discard entries that retention no longer keeps, a
//! bounded number at a time.
mod append_error;
pub mod gather;
pub(super) mod publication;
pub(super) mod queue;
pub mod sink;

pub use append_error::AppendError;

use super::{Log, LogError, refusals::Refusals};
use crate::{
    entry::{Entry, Timestamp},
    failure::{Failure, Failures},
    position::Offset,
    update::Update,
};
use gather::{GATHER_TIMEOUT, Gather};
use publication::{Acknowledgement, Publication};
use queue::{Queue, Woken};
use sink::{Appended, Nudge, Passing, Sink};
use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, oneshot};

/// The number of places in the queue to the writer. A publication takes one place for each [`QUEUE_PLACE_BYTES`] of its
/// size, rounded up.
pub const QUEUE_PLACES: usize = 2_048;
/// The number of bytes of stored entries for which a publication takes one place in the queue: the queue holds at most
/// 32 MiB.
pub const QUEUE_PLACE_BYTES: usize = 16 * 1024;
/// The largest publication, in bytes of stored entries. It fills the whole queue.
pub const MAX_PUBLICATION_BYTES: usize = QUEUE_PLACES * QUEUE_PLACE_BYTES;
/// The greatest number of entries in a batch. Only a batch with a single publication may have more.
pub const MAX_BATCH_ENTRIES: usize = 4_096;
/// The greatest number of bytes of stored entries in a batch. Only a batch with a single publication may have more.
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The time between two checks for entries to discard.
pub const RETENTION_INTERVAL: Duration = Duration::from_secs(1);

/// Takes publications from publishers, decides the order of the updates, and answers each publisher when its updates
/// are in the log.
///
/// Dropping the writer closes it.
#[derive(Debug)]
pub struct Writer {
    places: Arc<Semaphore>,
    queue: Arc<Queue>,
    nudge: Nudge,
    failures: Failures,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the threads that write to `log`. `clock` returns the time for the entries. `sink` gets every batch that
    /// is appended, in order.
    ///
    /// A slow `sink` slows publishers down, but no entry is lost.
    ///
    /// # Errors
    /// [`LogError`] if a thread cannot be started.
    pub fn start(
        log: Arc<dyn Log>,
        clock: impl Fn() -> Timestamp + Send + 'static,
        sink: impl Sink,
    ) -> Result<Self, LogError> {
        let places = Arc::new(Semaphore::new(QUEUE_PLACES));
        let queue = Arc::new(Queue::default());
        let failures = Failures::default();
        let (passing, second, nudge) = sink::passing(sink, failures.clone());
        let order = Order::new(log, clock, Arc::clone(&places), Arc::clone(&queue), passing, failures.clone());
        let second = spawn("fanfare-sink", move || second.run())?;
        let watched = failures.clone();
        let thread = spawn("fanfare-log", move || {
            let _guard = watched.on_panic("the writer of the log");
            order.run(|| second.is_finished());
            // `run` has ended, so the second thread ends too, after it has passed its remaining batches to the sink.
            _ = second.join();
        })?;
        Ok(Self { places, queue, nudge, failures, thread: Mutex::new(Some(thread)) })
    }

    /// Appends `updates` as one publication: either all of them, directly after each other in the log, or none. Returns
    /// their entries when they are durable. Waits while the queue is full.
    ///
    /// # Errors
    /// [`AppendError`]; then no update of `updates` is in the log, with two exceptions: they may be in it after
    /// [`AppendError::Closed`] if a thread of the writer has panicked, and after [`LogError::Failed`] when the log is
    /// opened again.
    ///
    /// # Cancel safety
    /// If the future is dropped before the publication is in the queue, the publication is not appended. If the future
    /// is dropped later, the publication is still appended, without an acknowledgement.
    pub async fn append(&self, updates: Vec<Update>) -> Result<Vec<Arc<Entry>>, AppendError> {
        self.take(updates, false).await
    }

    /// Does the same as [`Self::append`] for a publisher that is not in a hurry. The writer may wait for other
    /// publications, at most for [`gather::GATHER_TIMEOUT`], so that one sync serves all of them.
    ///
    /// # Errors
    /// The same errors as those of [`Self::append`].
    ///
    /// # Cancel safety
    /// If the future is dropped before the publication is in the queue, the publication is not appended. If the future
    /// is dropped later, the publication is still appended, without an acknowledgement.
    pub async fn append_with_others(&self, updates: Vec<Update>) -> Result<Vec<Arc<Entry>>, AppendError> {
        self.take(updates, true).await
    }

    async fn take(&self, updates: Vec<Update>, can_wait: bool) -> Result<Vec<Arc<Entry>>, AppendError> {
        let bytes = updates.iter().map(Update::stored_bytes).sum();
        if bytes > MAX_PUBLICATION_BYTES {
            return Err(AppendError::TooLarge { bytes, limit: MAX_PUBLICATION_BYTES });
        }
        let places = bytes.div_ceil(QUEUE_PLACE_BYTES).max(1);
        let count = u32::try_from(places).expect("a publication takes no more places than the queue has");
        let taken = self.places.acquire_many(count).await.map_err(|_| AppendError::Closed)?;
        let (acknowledgement, acknowledged) = oneshot::channel();
        let publication = Publication { updates, bytes, places, can_wait, acknowledgement };
        self.queue.push(publication).map_err(|_| AppendError::Closed)?;
        // The places stay taken until the writer's thread frees them, after the append.
        taken.forget();
        acknowledged.await.map_err(|_| AppendError::Closed)?.map_err(AppendError::Log)
    }

    /// Returns a handle with which other threads can have [`Sink::nudged`] called, even if nothing is published.
    #[must_use]
    pub fn nudge(&self) -> Nudge {
        self.nudge.clone()
    }

    /// The place where the failures of the writer, its log and its sink are noted.
    pub(crate) fn failures(&self) -> &Failures {
        &self.failures
    }

    /// Closes the writer: it takes no more publications. Blocks until all waiting publications are appended and passed
    /// to the sink.
    pub fn close(&self) {
        self.places.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            self.queue.close();
            if thread.join().is_err() {
                tracing::error!("the log's writer has panicked");
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).spawn(body)
}

/// The state of the writer's thread.
struct Order<Clock> {
    log: Arc<dyn Log>,
    clock: Clock,
    /// The newest offset of the log: the last one that this thread has appended, or that the log had when this thread
    /// started.
    head: Offset,
    /// The time of the newest entry. Time never goes backwards in the log, even if the clock does.
    newest: Timestamp,
    places: Arc<Semaphore>,
    queue: Arc<Queue>,
    /// Publications that were taken from the queue, and for which the last batch had no room.
    taken: VecDeque<Publication>,
    gather: Gather,
    refusals: Refusals,
    passing: Passing,
    failures: Failures,
}

/// The next operation on the log.
enum Operation {
    /// The writer appends these publications together.
    Append(Vec<Publication>),
    /// The writer discards a bounded number of entries that retention no longer keeps.
    Discard,
    /// The writer's thread ends, because the writer is closed.
    Close,
}

impl<Clock: Fn() -> Timestamp> Order<Clock> {
    /// Returns the state of a thread that takes publications from `queue`, frees their `places` in the queue, and hands
    /// the appended entries to `passing`.
    fn new(
        log: Arc<dyn Log>,
        clock: Clock,
        places: Arc<Semaphore>,
        queue: Arc<Queue>,
        passing: Passing,
        failures: Failures,
    ) -> Self {
        let (head, newest) = (log.bounds().head, log.newest());
        Self {
            log,
            clock,
            head,
            newest,
            places,
            queue,
            taken: VecDeque::new(),
            gather: Gather::default(),
            refusals: Refusals::default(),
            passing,
            failures,
        }
    }

    /// Appends and discards until the writer is closed, or until the sink has panicked.
    fn run(mut self, sink_has_ended: impl Fn() -> bool) {
        // The log must discard entries even if the queue is never empty. So once the time `look` has come, one discard
        // is done between two batches.
        let (mut look, mut appended_last) = (Instant::now(), false);
        // The second thread ends early if the sink panics. This loop checks for this before each operation. A wait for
        // publications ends when the next discard is due, so the check is made at the latest then.
        while !sink_has_ended() {
            let is_time = appended_last && Instant::now() >= look;
            match if is_time { Operation::Discard } else { self.next(look) } {
                Operation::Append(batch) => {
                    if !self.append(batch) {
                        return;
                    }
                    appended_last = true;
                }
                Operation::Discard => {
                    if !self.discard() {
                        look = Instant::now() + RETENTION_INTERVAL;
                    }
                    appended_last = false;
                }
                Operation::Close => return,
            }
        }
    }

    /// Waits for publications, until it is time to discard entries (`look`). Returns the next operation: to append the
    /// waiting publications as a batch, to discard, or to close.
    fn next(&mut self, look: Instant) -> Operation {
        if self.taken.is_empty() {
            if let Some(count) = self.gather.count() {
                self.gather.gathered(count, self.queue.gather(count, GATHER_TIMEOUT));
            }
            match self.queue.take(&mut self.taken, look) {
                Woken::Came => {}
                Woken::Late => return Operation::Discard,
                Woken::Closed => return Operation::Close,
            }
        }
        let (mut entries, mut bytes) = (0, 0);
        let mut batch = Vec::with_capacity(self.taken.len());
        while let Some(publication) = self.taken.pop_front() {
            entries += publication.updates.len();
            bytes += publication.bytes;
            if !batch.is_empty() && (entries > MAX_BATCH_ENTRIES || bytes > MAX_BATCH_BYTES) {
                self.taken.push_front(publication);
                break;
            }
            batch.push(publication);
        }
        Operation::Append(batch)
    }

    /// Appends a batch, and passes it on: its publications are acknowledged, and its entries go to the sink. Returns
    /// false if the sink has panicked.
    fn append(&mut self, batch: Vec<Publication>) -> bool {
        self.newest = self.newest.max((self.clock)());
        let places = batch.iter().map(|publication| publication.places).sum();
        let mut publications = Vec::with_capacity(batch.len());
        let mut updates = Vec::with_capacity(batch.len());
        for publication in batch {
            publications.push((publication.updates.len(), publication.acknowledgement));
            updates.extend(publication.updates);
        }
        let (begun, is_empty) = (Instant::now(), updates.is_empty());
        let appended = self.log.append(updates, self.newest).map_err(Arc::new);
        if !is_empty {
            self.gather.appended(publications.len(), begun.elapsed());
        }
        self.give_back(places);
        match appended {
            Ok(entries) => {
                if !is_empty {
                    self.refusals.end();
                }
                self.has_appended(&entries, &publications);
                self.passing.pass(Appended { entries, publications })
            }
            Err(error) => {
                // A publication without updates only asks whether the log can append.
                if !self.note(&error) && !is_empty {
                    self.refusals.tell(publications.iter().filter(|(count, _)| *count > 0).count(), &error);
                }
                for (_, acknowledgement) in publications {
                    _ = acknowledgement.send(Err(Arc::clone(&error)));
                }
                true
            }
        }
    }

    /// Frees the places that a batch had in the queue.
    fn give_back(&self, places: usize) {
        let free = self.places.available_permits();
        assert!(free + places <= QUEUE_PLACES, "{places} places are given back, but {free} of {QUEUE_PLACES} are free");
        self.places.add_permits(places);
    }

    /// Notes the new head, and checks three facts that the acknowledgements and the sink rely on: the entries follow
    /// the old head and each other, their times do not decrease, and there is one entry for each update.
    fn has_appended(&mut self, entries: &[Arc<Entry>], publications: &[(usize, Acknowledgement)]) {
        let count: usize = publications.iter().map(|(count, _)| count).sum();
        assert_eq!(entries.len(), count, "there is one entry for each update");
        for entry in entries {
            let (offset, time) = (entry.position.offset, entry.time);
            assert_eq!(offset, self.head.next(), "an entry follows the one before it");
            assert!(time >= self.newest, "times do not decrease: {time:?} after {:?}", self.newest);
            (self.head, self.newest) = (offset, time);
        }
    }

    /// Discards a bounded number of entries. Returns true if there may be more entries to discard.
    fn discard(&mut self) -> bool {
        self.log.discard((self.clock)()).map(|count| count > 0).unwrap_or_else(|error| {
            if !self.note(&error) {
                tracing::warn!(%error, "the log could not discard old updates");
            }
            false
        })
    }

    /// Notes a failure if the error says that the log has failed for good. Returns true if it does.
    fn note(&self, error: &LogError) -> bool {
        if let LogError::Failed(why) = error {
            self.failures.tell(Failure::Log(why.clone()));
        }
        matches!(error, LogError::Failed(_))
    }
}

impl<Clock> Drop for Order<Clock> {
    /// Closes the queue, so that publishers get an error, even after a panic.
    fn drop(&mut self) {
        self.places.close();
        self.queue.close();
        self.queue.clear();
    }
}
