//! The writer's thread: what waits becomes a batch, the batch becomes durable, and only then is anybody told.
//!
//! Between batches it has the log discard what retention no longer keeps, a bounded number of entries at a time.
use super::{
    Log, LogError, Query, ReadLimit,
    writer::{Acknowledgement, Publication, Request},
};
use crate::{
    entry::{Entry, Timestamp},
    position::Offset,
};
use crossbeam_channel::Sender;
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
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
    requests: Receiver<Request>,
    /// A publication that the last batch had no room for.
    carried: Option<Publication>,
    is_closed: bool,
    handover: Sender<Appended>,
}

/// A batch that is in the log, and whom to tell.
#[derive(Debug)]
pub(crate) struct Appended {
    entries: Vec<Arc<Entry>>,
    /// Each publication's number of entries, in order.
    publications: Vec<(usize, Acknowledgement)>,
}

impl Appended {
    /// Tells the publishers, and returns the entries for whoever comes next.
    pub(crate) fn acknowledge(self) -> Vec<Arc<Entry>> {
        let mut rest = &self.entries[..];
        for (count, acknowledgement) in self.publications {
            let (own, others) = rest.split_at(count);
            rest = others;
            // Who no longer waits for the answer does not get it.
            _ = acknowledgement.send(Ok(own.to_vec()));
        }
        self.entries
    }
}

/// The next step of the writer.
enum Next {
    Append(Vec<Publication>),
    Discard,
    End,
}

impl<Clock: Fn() -> Timestamp> Order<Clock> {
    /// Takes `requests`, gives their `places` in the queue back, and passes what it appended to `handover`.
    pub(super) fn new(
        log: Arc<dyn Log>,
        clock: Clock,
        places: Arc<Semaphore>,
        requests: Receiver<Request>,
        handover: Sender<Appended>,
    ) -> Result<Self, LogError> {
        let newest = newest(&*log)?;
        Ok(Self { log, clock, newest, places, requests, carried: None, is_closed: false, handover })
    }

    /// Works until the writer is closed, or until nobody takes the entries any more.
    pub(super) fn run(mut self, sink_has_ended: impl Fn() -> bool) {
        let mut look = Instant::now();
        // What was handed over to a sink that ended before it took it is found out here, at the next look at the
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
        let first = match self.carried.take() {
            Some(carried) => carried,
            None => match self.receive(look.saturating_duration_since(Instant::now())) {
                Ok(publication) => publication,
                Err(RecvTimeoutError::Timeout) => return Next::Discard,
                Err(RecvTimeoutError::Disconnected) => return Next::End,
            },
        };
        let (mut entries, mut bytes) = (first.updates.len(), first.bytes);
        let mut batch = vec![first];
        while let Ok(publication) = self.receive(Duration::ZERO) {
            entries += publication.updates.len();
            bytes += publication.bytes;
            if entries > MAX_BATCH_ENTRIES || bytes > MAX_BATCH_BYTES {
                self.carried = Some(publication);
                break;
            }
            batch.push(publication);
        }
        Next::Append(batch)
    }

    /// Takes the next publication. Once the writer is closed that is only what had its place in the queue before.
    fn receive(&mut self, patience: Duration) -> Result<Publication, RecvTimeoutError> {
        loop {
            let request = if patience.is_zero() || self.is_closed {
                let nothing = if self.is_closed { RecvTimeoutError::Disconnected } else { RecvTimeoutError::Timeout };
                self.requests.try_recv().map_err(|_| nothing)?
            } else {
                self.requests.recv_timeout(patience)?
            };
            match request {
                Request::Append(publication) => return Ok(publication),
                Request::Close => self.is_closed = true,
            }
        }
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
        let appended = self.log.append(updates, self.newest).map_err(Arc::new);
        self.places.add_permits(places);
        match appended {
            Ok(entries) => self.handover.send(Appended { entries, publications }).is_ok(),
            Err(error) => {
                tracing::error!(%error, publications = publications.len(), "the log could not append");
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

/// The time of the newest entry held.
fn newest(log: &dyn Log) -> Result<Timestamp, LogError> {
    let head = log.bounds().head;
    let (after, limit) = (Offset(head.0.saturating_sub(1)), ReadLimit { entries: 1, bytes: 0 });
    let last = log.read(&Query { after, until: head, topics: None, now: Timestamp(0), limit })?;
    let time = last.entries().next().map(|entry| entry.time);
    Ok(time.unwrap_or_default())
}
