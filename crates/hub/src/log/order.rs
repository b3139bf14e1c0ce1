//! The writer's thread: what waits becomes a batch, the batch becomes durable, and only then is anybody told.
//!
//! Between batches it has the log discard what retention no longer keeps, a bounded number of entries at a time.
use super::{
    Log, LogError, Query, ReadLimit,
    refusals::Refusals,
    writer::{
        gather::{GATHER_TIMEOUT, Gather},
        publication::Publication,
        queue::{Queue, Woken},
        sink::{Appended, Passing},
    },
};
use crate::{entry::Timestamp, position::Offset};
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// No publication is added to a batch that it would take beyond this many entries.
pub const MAX_BATCH_ENTRIES: usize = 4_096;
/// No publication is added to a batch that it would take beyond this many bytes of stored entries.
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The time between two looks for entries to discard.
pub const RETENTION_INTERVAL: Duration = Duration::from_secs(1);

/// The state of the writer's thread.
pub(super) struct Order<Clock> {
    log: Arc<dyn Log>,
    clock: Clock,
    /// The time of the newest entry: time does not go backwards in the log, whatever the clock does.
    newest: Timestamp,
    places: Arc<Semaphore>,
    queue: Arc<Queue>,
    /// Publications that were taken from the queue together, and that the last batch had no room for.
    taken: VecDeque<Publication>,
    gather: Gather,
    refusals: Refusals,
    passing: Passing,
}

/// The next step of the writer.
enum Next {
    Append(Vec<Publication>),
    Discard,
    End,
}

impl<Clock: Fn() -> Timestamp> Order<Clock> {
    /// Takes from `queue`, gives the `places` of what it took back, and hands on by `passing` what it appended.
    pub(super) fn new(
        log: Arc<dyn Log>,
        clock: Clock,
        places: Arc<Semaphore>,
        queue: Arc<Queue>,
        passing: Passing,
    ) -> Result<Self, LogError> {
        let newest = newest(&*log)?;
        Ok(Self {
            log,
            clock,
            newest,
            places,
            queue,
            taken: VecDeque::new(),
            gather: Gather::default(),
            refusals: Refusals::default(),
            passing,
        })
    }

    /// Works until the writer is closed, or until nobody takes the entries any more.
    pub(super) fn run(mut self, sink_has_ended: impl Fn() -> bool) {
        let mut look = Instant::now();
        // What was handed to a second thread that ended before it took it is found out here, at the next look at the
        // latest.
        while !sink_has_ended() {
            let goes_on = match self.next(look) {
                Next::Append(batch) => self.append(batch),
                Next::Discard => true,
                Next::End => false,
            };
            if !goes_on {
                return;
            }
            if Instant::now() >= look && !self.discard() {
                look = Instant::now() + RETENTION_INTERVAL;
            }
        }
    }

    /// Waits for a publication until it is time to `look` for entries to discard, and takes what else waits with it.
    fn next(&mut self, look: Instant) -> Next {
        if self.taken.is_empty() {
            if let Some(count) = self.gather.count() {
                self.gather.gathered(count, self.queue.gather(count, GATHER_TIMEOUT));
            }
            match self.queue.take(&mut self.taken, look) {
                Woken::Came => {}
                Woken::Late => return Next::Discard,
                Woken::Closed => return Next::End,
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
        Next::Append(batch)
    }

    /// Appends a batch and hands it on to be acknowledged and routed. Returns whether somebody takes it.
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
        self.places.add_permits(places);
        match appended {
            Ok(entries) => {
                if !is_empty {
                    self.refusals.end();
                }
                self.passing.pass(Appended { entries, publications })
            }
            Err(error) => {
                self.refusals.tell(publications.len(), &error);
                for (_, acknowledgement) in publications {
                    _ = acknowledgement.send(Err(Arc::clone(&error)));
                }
                true
            }
        }
    }

    /// Discards a bounded number of entries, and returns whether there may be more.
    fn discard(&mut self) -> bool {
        self.log.discard((self.clock)()).map(|count| count > 0).unwrap_or_else(|error| {
            tracing::warn!(%error, "the log could not discard");
            false
        })
    }
}

impl<Clock> Drop for Order<Clock> {
    /// Tells publishers that nobody takes their publications any more, however this ends.
    fn drop(&mut self) {
        self.places.close();
        self.queue.close();
        self.queue.clear();
    }
}

/// The time of the newest entry held.
fn newest(log: &dyn Log) -> Result<Timestamp, LogError> {
    let head = log.bounds().head;
    let (after, limit) = (Offset(head.0.saturating_sub(1)), ReadLimit { entries: 1, bytes: 0 });
    let last = log.read(&Query { after, until: head, topics: None, now: Timestamp(0), limit })?;
    let time = last.entries().next().map(|entry| entry.time);
    Ok(time.unwrap_or_default())
}
