//! A log on disk: one redb file and a journal beside it.
//!
//! An append is one write and one sync of the [`journal`], and one transaction of the database without a sync, which
//! follows when the journal is full. redb never overwrites what its last synced commit can reach, so a process that is
//! killed leaves that commit as it was, and the journal has the rest. What redb's file cannot promise is added here: an
//! entry carries its own checksum, an [epoch](Epochs) names each run of the log, and a damaged file is put aside and
//! [salvaged](Recovery).
//!
//! redb's quick repair is not used. It would open a log of any size in milliseconds after a crash, for a second sync
//! and 64 KiB per GiB of log written with every append. Without it, opening after a crash takes a walk through the
//! file: 0.2 s for 1,000,000 entries of 220 bytes from the page cache, 0.65 s from disk. A clean start never takes that
//! walk.
use super::{Bounds, Epochs, LogError, ReadLimit, Retention};
use crate::{
    entry::{Entry, Timestamp},
    position::{Offset, Position},
    update::Update,
};
use fanfare_event_stream::EventId;
use std::sync::{Arc, Mutex, MutexGuard};

mod commit_slots;
mod journal;
mod open;
mod salvage;
mod storage;
mod store;
mod stored;
mod superblock;
mod tables;

use journal::Journal;
use store::Store;
use superblock::Superblock;
use tables::Extent;

/// The most entries that one call of [`Log::discard`] lets go: it takes a few milliseconds, in which nothing is
/// appended.
const DISCARD_ENTRIES: usize = 2_000;

/// An append discards no more than this many entries for each one it brings: enough to shrink a log that is too large,
/// without a sync of its own.
const DISCARD_PER_ENTRY: usize = 2;

/// A log that is in a directory of the file system. One process has it open at a time.
#[derive(Debug)]
pub(super) struct DiskLog {
    store: Store,
    retention: Retention,
    epochs: Arc<Epochs>,
    session: u32,
    /// Held while a transaction writes.
    writing: Mutex<Writing>,
    /// What readers see; changed once a transaction is durable. Taken after `writing`, and only for a moment.
    bounds: Mutex<Bounds>,
    /// Locked as long as the log is open.
    _lock: open::Lock,
}

#[derive(Debug)]
struct Writing {
    extent: Extent,
    journal: Journal,
    /// The number of the last batch, also of one that failed.
    batch: u64,
}

impl DiskLog {
    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().expect("no transaction panics past the store")
    }

    fn bounds_mut(&self) -> MutexGuard<'_, Bounds> {
        self.bounds.lock().expect("nobody panics with it")
    }

    /// Makes one change, durable and visible as a whole or not at all. `body` adds the records that it appends to a
    /// buffer: the journal takes them if there is room for as many bytes as `journaled` says, else the database is
    /// synced.
    fn write<T>(
        &self,
        writing: &mut Writing,
        journaled: Option<usize>,
        body: impl FnOnce(&redb::WriteTransaction, &mut Extent, &mut Vec<u8>) -> Result<T, redb::Error>,
    ) -> Result<T, LogError> {
        self.revive(writing)?;
        let records_bytes = journaled.filter(|bytes| writing.journal.make_room(*bytes));
        let (mut extent, mut records) = (writing.extent.clone(), Vec::with_capacity(records_bytes.unwrap_or(0)));
        let transact = |transaction: &redb::WriteTransaction| {
            let value = body(transaction, &mut extent, &mut records)?;
            if extent.count == 0 {
                let (session, head, oldest) = (self.session, extent.head, extent.oldest);
                let epochs = self.epochs.to_vec();
                tables::put_superblock(transaction, &Superblock { session, head, oldest, epochs })?;
            }
            Ok(value)
        };
        let result = match records_bytes {
            Some(_) => self.store.write_unsynced(transact),
            None => self.store.write(transact),
        };
        let value = match result {
            Ok(value) => value,
            Err(error) => {
                // Readers need not wait for the next append.
                _ = self.revive(writing);
                return Err(error);
            }
        };
        if records_bytes.is_none() {
            writing.journal.begin_anew();
        } else if let Err(error) = writing.journal.append((self.session, writing.batch), &records) {
            self.store.distrust();
            return Err(error.into());
        }
        *self.bounds_mut() = Bounds { oldest: extent.oldest, head: extent.head };
        writing.extent = extent;
        Ok(value)
    }

    /// Opens the database anew if a failure has closed it, with what was acknowledged and no more.
    fn revive(&self, writing: &mut Writing) -> Result<(), LogError> {
        if !self.store.is_closed() {
            return Ok(());
        }
        let (batches, head) = (writing.journal.batches()?, writing.extent.head);
        writing.extent = self.store.reopen(|store| {
            let (_, mut extent) = store.read(tables::load)?;
            store.write_unsynced(|transaction| {
                open::replay(transaction, &batches, &mut extent)?;
                tables::cut(transaction, head)
            })?;
            // What was discarded without a sync is there again, and will be discarded again.
            Ok(store.read(tables::load)?.1)
        })?;
        self.bounds_mut().oldest = writing.extent.oldest;
        Ok(())
    }

    /// Syncs the database if it lacks what the journal has.
    fn settle(&mut self) -> Result<(), LogError> {
        let writing = self.writing.get_mut().expect("no transaction panics past the store");
        if !writing.journal.is_empty() && !self.store.is_closed() {
            self.store.write(|_| Ok(()))?;
        }
        Ok(())
    }
}

impl Drop for DiskLog {
    fn drop(&mut self) {
        // What cannot be synced now is in the journal.
        _ = self.settle();
    }
}

impl DiskLog {
    pub(super) fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        let mut writing = self.writing();
        let epoch = self.epochs.current();
        let offsets = writing.extent.head.0 + 1..;
        let entry = |(offset, update)| Entry::new(Position { epoch, offset: Offset(offset) }, now, update);
        let entries: Vec<_> = offsets.zip(batch).map(entry).map(Arc::new).collect();
        if entries.is_empty() {
            return Ok(entries);
        }
        writing.batch += 1;
        let number = (self.session, writing.batch);
        let bytes = entries.iter().map(|entry| stored::len(&entry.update)).sum();
        self.write(&mut writing, Some(bytes), |transaction, extent, records| {
            tables::append(transaction, &entries, number, extent, records)?;
            let budget = DISCARD_PER_ENTRY * entries.len();
            tables::discard(transaction, (&self.retention, now), budget, extent)
        })?;
        Ok(entries)
    }

    pub(super) fn read(&self, after: Offset, limit: ReadLimit) -> Result<Vec<Arc<Entry>>, LogError> {
        let head = self.bounds().head;
        if after >= head {
            return Ok(Vec::new());
        }
        self.store.read(|transaction| tables::read(transaction, after.0 + 1..=head.0, limit))
    }

    pub(super) fn locate(&self, id: &EventId) -> Result<Option<Offset>, LogError> {
        let Bounds { oldest, head } = self.bounds();
        if oldest > head {
            return Ok(None);
        }
        self.store.read(|transaction| tables::locate(transaction, id, oldest.0..=head.0))
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.bounds_mut().clone()
    }

    pub(super) fn discard(&self, now: Timestamp) -> Result<usize, LogError> {
        let mut writing = self.writing();
        if !writing.extent.exceeds(&self.retention, now) {
            return Ok(0);
        }
        self.write(&mut writing, None, |transaction, extent, _| {
            tables::discard(transaction, (&self.retention, now), DISCARD_ENTRIES, extent)
        })
    }
}
