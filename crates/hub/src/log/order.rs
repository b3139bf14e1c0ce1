//! The writer's thread: what waits becomes a batch, the batch becomes durable, and only then is anybody told.
//!
//! Between batches it has the log discard what retention no longer keeps, a bounded number of entries at a time.
use super::{
    Log, LogError, Query, ReadLimit,
    refusals::Refusals,
    writer::{
        QUEUE_PLACES,
        gather::{GATHER_TIMEOUT, Gather},
        publication::{Acknowledgement, Publication},
        queue::{Queue, Woken},
        sink::{Appended, Passing},
    },
};
use crate::{
    entry::{Entry, Timestamp},
    position::Offset,
};
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
    /// The head of the log, as this thread has made it.
    head: Offset,
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

/// The next thing that happens to the log.
enum Operation {
    /// These publications are appended together.
    Append(Vec<Publication>),
    /// What retention no longer keeps is discarded, a bounded number of entries.
    Discard,
    /// Nothing any more.
    Close,
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
        let (head, newest) = newest(&*log)?;
        Ok(Self {
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
        })
    }

    /// Works until the writer is closed, or until nobody takes the entries any more.
    pub(super) fn run(mut self, sink_has_ended: impl Fn() -> bool) {
        // A queue that is never empty does not keep the log from discarding: one batch, then a look if it is time for it.
        let (mut look, mut appended_last) = (Instant::now(), false);
        // What was handed to a second thread that ended before it took it is found out here, at the next look at the
        // latest.
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

    /// Waits for a publication until it is time to `look` for entries to discard, and takes what else waits with it.
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
                self.refusals.tell(publications.len(), &error);
                for (_, acknowledgement) in publications {
                    _ = acknowledgement.send(Err(Arc::clone(&error)));
                }
                true
            }
        }
    }

    /// Gives back the places in the queue that a batch has taken.
    fn give_back(&self, places: usize) {
        let free = self.places.available_permits();
        assert!(free + places <= QUEUE_PLACES, "{places} places are given back, {free} of {QUEUE_PLACES} are free");
        self.places.add_permits(places);
    }

    /// Notes the new head. What the log has made of a batch is what everything behind this relies on: entries that
    /// follow the head and each other, in a time that does not fall, and an answer for each publication.
    fn has_appended(&mut self, entries: &[Arc<Entry>], publications: &[(usize, Acknowledgement)]) {
        let count: usize = publications.iter().map(|(count, _)| count).sum();
        assert_eq!(entries.len(), count, "an entry for each update");
        for entry in entries {
            let (offset, time) = (entry.position.offset, entry.time);
            assert_eq!(offset, self.head.next(), "an entry follows the one before it");
            assert!(time >= self.newest, "time does not fall: {time:?} behind {:?}", self.newest);
            (self.head, self.newest) = (offset, time);
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

/// The head of the log, and the time of the newest entry held.
fn newest(log: &dyn Log) -> Result<(Offset, Timestamp), LogError> {
    let head = log.bounds().head;
    let (after, limit) = (Offset(head.0.saturating_sub(1)), ReadLimit { entries: 1, bytes: 0 });
    let last = log.read(&Query { after, until: head, topics: None, now: Timestamp(0), limit })?;
    let time = last.entries().next().map(|entry| entry.time);
    Ok((head, time.unwrap_or_default()))
}
