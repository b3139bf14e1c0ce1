//! The log of segments, as the hub uses it.
use super::{
    end_mark::EndMark,
    keep::Patience,
    open::{self, Recovery},
    store::{Settings, Store},
};
use crate::{
    entry::{Entry, Timestamp},
    log::{
        Bounds, Candidates, Epochs, Log, LogError, Query, Read, Retention,
        erase::{Erase, Erased},
    },
    position::Offset,
    update::Update,
};
use fanfare_event_stream::EventId;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
    thread::{self, JoinHandle},
};

/// The largest size of a segment, in bytes. A segment is sealed before an append would make it larger.
pub const SEGMENT_BYTES: u64 = 16 << 20;

/// A log in a directory of the file system. Only one process at a time can have it open.
#[derive(Debug)]
pub struct SegmentLog {
    store: Arc<Store>,
    recovery: Recovery,
    /// The sender that ends the keeper's thread when it is dropped.
    end: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl SegmentLog {
    /// Opens the log in the directory `path`, which is created if it does not exist. Damaged parts of files are not
    /// repaired. Subscribers that would have received the updates in them are told of a gap.
    ///
    /// # Errors
    /// [`LogError::InUse`] if another process has the log open, [`LogError::OldFormat`] if the directory has a log of
    /// an earlier version, [`LogError::Io`] if files cannot be read or written.
    pub fn open(path: &Path, retention: Retention) -> Result<Self, LogError> {
        Self::open_with(path, retention, SEGMENT_BYTES)
    }

    /// Opens a log whose segments are sealed before an append would make them larger than `segment_bytes`.
    ///
    /// # Errors
    /// The same errors as those of [`Self::open`].
    pub fn open_with(path: &Path, retention: Retention, segment_bytes: u64) -> Result<Self, LogError> {
        let (store, recovery) = open::open(path, retention, Settings { segment_bytes })?;
        if let Some((first, last)) = recovery.missing {
            tracing::warn!(
                first = first.0,
                last = last.0,
                "updates at the end of the log are missing: subscribers that resume before them get a gap event"
            );
        }
        let store = Arc::new(store);
        let (end, ends) = channel();
        let kept = store.clone();
        let keep = move || {
            if catch_unwind(AssertUnwindSafe(|| kept.keep_until(&ends))).is_err() {
                kept.panicked();
            }
        };
        let keeper = thread::Builder::new().name("fanfare-keeper".into()).spawn(keep)?;
        Ok(Self { store, recovery, end: Some(end), keeper: Some(keeper) })
    }

    /// Appends updates like [`Log::append`], but each with the time that is given for it. Time does not go backwards in
    /// a log: an update that is older than the update before it gets the time of that update.
    ///
    /// # Errors
    /// [`LogError`]; then no update of the batch is in the log. After [`LogError::Failed`], updates of the batch may
    /// be in the log when it is opened again.
    pub fn append_with_times(&self, batch: Vec<(Timestamp, Update)>) -> Result<Vec<Arc<Entry>>, LogError> {
        let mut newest = self.newest();
        let in_order = batch.into_iter().map(|(time, update)| {
            newest = newest.max(time);
            (newest, update)
        });
        let batch: Vec<_> = in_order.collect();
        self.store.append(batch.into_iter(), newest)
    }

    /// Removes all entries from disk that were erased, have expired or were discarded, by rewriting whole segments.
    /// Without this call, a thread of the log removes them later.
    ///
    /// # Errors
    /// [`LogError`] if the files cannot be read or written. Entries that were removed before the error stay removed.
    pub fn remove_dead(&self) -> Result<(), LogError> {
        self.store.check()?;
        self.store.keep(Patience { dead_ms: 0, discarded_ms: 0, spare_bytes: 1 })
    }

    /// Does the same as [`Self::remove_dead`], for tests.
    #[cfg(test)]
    pub(crate) fn keep_now(&self) {
        self.remove_dead().unwrap();
    }

    /// Joins the records of presence updates in the active segment, even if this saves only a few bytes.
    #[cfg(test)]
    pub(crate) fn compact_now(&self) {
        self.store.keep(Patience { spare_bytes: 0, ..Patience::default() }).unwrap();
    }

    /// The state of the log, for tests.
    #[cfg(test)]
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Prevents the keeper from changing anything as long as the returned guard exists.
    #[cfg(test)]
    pub(crate) fn hold_still(&self) -> std::sync::MutexGuard<'_, ()> {
        self.store.keeping()
    }

    /// The length of the last segment without the zeros that are written in advance.
    #[cfg(test)]
    pub(crate) fn end_of_frames(&self) -> u64 {
        self.store.held().segments.back().map_or(0, |last| last.summary().log_bytes)
    }

    /// The state in which the log was when it was opened.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }
}

impl Log for SegmentLog {
    fn append(&self, batch: Vec<Update>, now: Timestamp) -> Result<Vec<Arc<Entry>>, LogError> {
        self.store.append(batch.into_iter().map(|update| (now, update)), now)
    }

    fn read(&self, query: &Query<'_>) -> Result<Read, LogError> {
        self.store.read(query)
    }

    fn locate(&self, id: &EventId, now: Timestamp) -> Result<Candidates, LogError> {
        self.store.locate(id, now)
    }

    fn place_at(&self, time: Timestamp) -> Result<Offset, LogError> {
        self.store.place_at(time)
    }

    fn bounds(&self) -> Bounds {
        self.store.bounds()
    }

    fn newest(&self) -> Timestamp {
        let held = self.store.held();
        held.segments.iter().map(|segment| segment.summary().last_time).max().unwrap_or_default()
    }

    fn epochs(&self) -> Arc<Epochs> {
        self.store.epochs()
    }

    fn discard(&self, now: Timestamp) -> Result<usize, LogError> {
        self.store.discard(now)
    }

    fn erase(&self, erase: &Erase<'_>, now: Timestamp) -> Result<Erased, LogError> {
        self.store.erase(erase, now)
    }
}

impl Drop for SegmentLog {
    fn drop(&mut self) {
        drop(self.end.take());
        // A panic of the keeper was noticed when it happened.
        _ = self.keeper.take().map(JoinHandle::join);
        self.store.close();
    }
}

impl Store {
    /// Closes the log: records where it ended, so that a later loss at the end is noticed.
    fn close(&self) {
        let mut writing = self.writing();
        if self.check().is_err() {
            return;
        }
        if let Err(error) = self.write_presence_file() {
            tracing::warn!(%error, "the newest presence updates cannot be written: who follows presence is told of a gap");
        }
        let held = self.held();
        let Some(last) = held.segments.back() else { return };
        let Bounds { oldest, head, .. } = held.bounds.clone();
        let mark = EndMark { log: self.log, last_segment: last.first, head, oldest, epochs: self.epochs().to_vec() };
        drop(held);
        let known = EndMark::read(&self.directory).ok().flatten();
        // If there was no mark and this process has appended nothing, no mark is written. `active` does not show
        // whether something was appended: the segment may have been sealed since.
        let has_appended = self.epochs().current() == writing.epoch;
        if known.as_ref() == Some(&mark) || (known.is_none() && !has_appended) {
            return;
        }
        if let Some(active) = writing.active.take() {
            _ = active.file.set_len(active.segment.summary().log_bytes);
            // If the disk cannot sync, the log does not claim that it has ended cleanly.
            if let Err(error) = active.file.sync_all().and_then(|()| mark.write(&self.directory)) {
                tracing::warn!(%error, "the file that says how the log ended cannot be written");
            }
            self.write_down(&active.segment);
        } else {
            _ = mark.write(&self.directory);
        }
    }
}
