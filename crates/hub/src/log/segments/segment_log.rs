//! The log of segments, as the hub has it.
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
    path::Path,
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
    thread::{self, JoinHandle},
};

/// A segment is sealed before it would be larger than this, unless it is told otherwise.
pub const SEGMENT_BYTES: u64 = 16 << 20;

/// A log that is in a directory of the file system. One process has it open at a time.
#[derive(Debug)]
pub struct SegmentLog {
    store: Arc<Store>,
    recovery: Recovery,
    /// Dropped to end the keeper.
    end: Option<Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl SegmentLog {
    /// Opens the log in the directory `path`, which is made if there is none. What is damaged stays where it is, and
    /// whoever would have received it is told of a gap.
    ///
    /// # Errors
    /// [`LogError::InUse`] if another process has the log open, [`LogError::OldFormat`] if the directory has one of an
    /// earlier version, [`LogError::Io`] if files cannot be read or written.
    pub fn open(path: &Path, retention: Retention) -> Result<Self, LogError> {
        Self::open_with(path, retention, SEGMENT_BYTES)
    }

    /// Opens a log whose segments are sealed before they would be larger than `segment_bytes`.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(path: &Path, retention: Retention, segment_bytes: u64) -> Result<Self, LogError> {
        let (store, recovery) = open::open(path, retention, Settings { segment_bytes })?;
        if let Some((first, last)) = recovery.missing {
            tracing::warn!(
                first = first.0,
                last = last.0,
                "the end of the log is missing: subscribers that resume before it are told of a gap"
            );
        }
        let store = Arc::new(store);
        let (end, ends) = channel();
        let kept = store.clone();
        let keeper = thread::Builder::new().name("fanfare-keeper".into()).spawn(move || kept.keep_until(&ends))?;
        Ok(Self { store, recovery, end: Some(end), keeper: Some(keeper) })
    }

    /// Appends updates with the times that they have, in place of one time for all, as [`Log::append`] does. Time does
    /// not go backwards in a log: an update that is older than the one before it gets its time.
    ///
    /// # Errors
    /// [`LogError`]; nothing of the batch is then in the log, nor will it be.
    pub fn append_with_times(&self, batch: Vec<(Timestamp, Update)>) -> Result<Vec<Arc<Entry>>, LogError> {
        let mut newest = self.newest();
        let in_order = batch.into_iter().map(|(time, update)| {
            newest = newest.max(time);
            (newest, update)
        });
        let batch: Vec<_> = in_order.collect();
        self.store.append(batch.into_iter(), newest)
    }

    /// The time of the newest record; 0 if there is none.
    #[must_use]
    pub fn newest(&self) -> Timestamp {
        let held = self.store.held();
        held.segments.iter().map(|segment| segment.summary().last_time).max().unwrap_or_default()
    }

    /// Removes from disk at once what is erased, has expired or was discarded, which otherwise happens within some
    /// minutes. Whole segments are written again for it.
    ///
    /// # Errors
    /// [`LogError`] if the files cannot be read or written. What could be removed until then is gone.
    pub fn remove_dead(&self) -> Result<(), LogError> {
        self.store.check()?;
        self.store.keep(Patience { dead_ms: 0, discarded_ms: 0 })
    }

    /// The same in tests.
    #[cfg(test)]
    pub(crate) fn keep_now(&self) {
        self.remove_dead().unwrap();
    }

    /// The state of the log.
    #[cfg(test)]
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Keeps the keeper from changing anything.
    #[cfg(test)]
    pub(crate) fn hold_still(&self) -> std::sync::MutexGuard<'_, ()> {
        self.store.keeping()
    }

    /// The length of the last segment without the zeros that are written ahead.
    #[cfg(test)]
    pub(crate) fn end_of_frames(&self) -> u64 {
        self.store.held().segments.back().map_or(0, |last| last.summary().log_bytes)
    }

    /// The way in which the log had ended before it was opened.
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
        if self.keeper.take().is_some_and(|keeper| keeper.join().is_err()) {
            tracing::error!("the keeper of the log has panicked");
        }
        self.store.close();
    }
}

impl Store {
    /// Ends the log: says where it ended, so that whatever is missing later is known.
    fn close(&self) {
        let mut writing = self.writing();
        if self.check().is_err() {
            return;
        }
        let held = self.held();
        let Some(last) = held.segments.back() else { return };
        let Bounds { oldest, head } = held.bounds.clone();
        let mark = EndMark { log: self.log, last_segment: last.first, head, oldest, epochs: self.epochs().to_vec() };
        drop(held);
        let known = EndMark::read(&self.directory).ok().flatten();
        // A run that has appended nothing leaves no mark where there was none.
        if known.as_ref() == Some(&mark) || (known.is_none() && writing.active.is_none()) {
            return;
        }
        if let Some(active) = writing.active.take() {
            _ = active.file.set_len(active.segment.summary().log_bytes);
            _ = active.file.sync_all();
            if let Err(error) = mark.write(&self.directory) {
                tracing::warn!(%error, "the clean end of the log cannot be written down");
            }
            self.write_down(&active.segment);
        } else {
            _ = mark.write(&self.directory);
        }
    }
}
