//! A log that lives as long as its process: a ring bounded by retention.
use super::{Bounds, Epochs, Log, LogError, ReadLimit, Retention, stored};
use crate::{
    entry::{Entry, Timestamp},
    position::{Epoch, Offset, Position},
    update::Update,
};
use fanfare_event_stream::EventId;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

/// The most entries that one call of [`Log::discard`] lets go, so that readers wait no longer than for that.
const DISCARD_ENTRIES: usize = 1_000;

/// A log in memory. It begins and ends with its process, in one epoch, and is durable in no way.
#[derive(Debug)]
pub struct MemoryLog {
    retention: Retention,
    epochs: Arc<Epochs>,
    ring: Mutex<Ring>,
}

#[derive(Debug)]
struct Ring {
    entries: VecDeque<Held>,
    oldest: Offset,
    bytes: u64,
    /// Publishers' own IDs. An ID that was used twice stands here twice, oldest first.
    ids: BTreeSet<(EventId, Offset)>,
}

#[derive(Debug)]
struct Held {
    entry: Arc<Entry>,
    bytes: usize,
}

impl MemoryLog {
    /// An empty log that keeps what `retention` says.
    #[must_use]
    pub fn new(retention: Retention) -> Self {
        let ring = Ring { entries: VecDeque::new(), oldest: Offset(1), bytes: 0, ids: BTreeSet::new() };
        Self { retention, epochs: Arc::new(Epochs::first(Epoch::random())), ring: Mutex::new(ring) }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().expect("no holder of the ring panics")
    }
}

impl Log for MemoryLog {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        let epoch = self.epochs.current();
        let mut ring = self.ring();
        let appended = batch
            .into_iter()
            .map(|update| {
                let position = Position { epoch, offset: ring.head().next() };
                let entry = Arc::new(Entry::new(position, now, update));
                ring.push(Arc::clone(&entry));
                entry
            })
            .collect();
        while ring.exceeds(&self.retention, now) {
            ring.pop();
        }
        Ok(appended)
    }

    fn read(&self, after: Offset, limit: ReadLimit) -> Result<Vec<Arc<Entry>>, LogError> {
        let ring = self.ring();
        if after >= ring.head() {
            return Ok(Vec::new());
        }
        let skipped = usize::try_from((after.0 + 1).saturating_sub(ring.oldest.0)).unwrap_or(usize::MAX);
        let mut bytes = 0;
        let fits = |(index, held): &(usize, &Held)| {
            bytes += held.bytes;
            *index == 0 || (*index < limit.entries && bytes <= limit.bytes)
        };
        let run = ring.entries.iter().skip(skipped).enumerate().take_while(fits);
        Ok(run.map(|(_, held)| Arc::clone(&held.entry)).collect())
    }

    fn locate(&self, id: &EventId) -> Result<Option<Offset>, LogError> {
        let ring = self.ring();
        let first = ring.ids.range((id.clone(), Offset::ZERO)..).next();
        Ok(first.filter(|(found, _)| found == id).map(|(_, offset)| *offset))
    }

    fn bounds(&self) -> Bounds {
        let ring = self.ring();
        Bounds { oldest: ring.oldest, head: ring.head() }
    }

    fn epochs(&self) -> Arc<Epochs> {
        Arc::clone(&self.epochs)
    }

    fn discard(&self, now: Timestamp) -> Result<usize, LogError> {
        let mut ring = self.ring();
        let mut discarded = 0;
        while discarded < DISCARD_ENTRIES && ring.exceeds(&self.retention, now) {
            ring.pop();
            discarded += 1;
        }
        Ok(discarded)
    }
}

impl Ring {
    fn head(&self) -> Offset {
        Offset(self.oldest.0 + self.entries.len() as u64 - 1)
    }

    fn push(&mut self, entry: Arc<Entry>) {
        if let Some(id) = entry.update.id() {
            self.ids.insert((id.clone(), entry.position.offset));
        }
        let bytes = stored::len(&entry.update);
        self.bytes += bytes as u64;
        self.entries.push_back(Held { entry, bytes });
    }

    /// True if the oldest entry has to go.
    fn exceeds(&self, retention: &Retention, now: Timestamp) -> bool {
        let Some(oldest) = self.entries.front() else { return false };
        retention.count.is_some_and(|limit| self.entries.len() as u64 > limit)
            || retention.bytes.is_some_and(|limit| self.bytes > limit)
            || retention.age_ms.is_some_and(|limit| now.0.saturating_sub(oldest.entry.time.0) > limit)
    }

    fn pop(&mut self) {
        let Some(Held { entry, bytes }) = self.entries.pop_front() else { return };
        self.oldest = self.oldest.next();
        self.bytes -= bytes as u64;
        if let Some(id) = entry.update.id() {
            self.ids.remove(&(id.clone(), entry.position.offset));
        }
    }
}
