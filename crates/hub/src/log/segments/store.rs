//! The state of a log of segments. The operations that append, read, discard and erase share it.
use super::{
    directory::{Directory, Kind},
    head::LogId,
    index::Amounts,
    index_file::Ids,
    open_files::OpenFiles,
    segment::Segment,
};
use crate::{
    entry::Timestamp,
    log::{Bounds, Epochs, LogError, Retention, presence::Presence},
    position::{Epoch, Offset},
};
use std::{
    collections::VecDeque,
    fs::File,
    io,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// The number of attempts to read a segment that is rewritten or removed during the read.
const ATTEMPTS: usize = 8;

/// A log of segments.
///
/// A thread that needs several locks takes them in this order: `keeping`, `writing`, `held`, and then the locks of a
/// segment, of the open files or of the presence updates.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) directory: Directory,
    pub(super) files: OpenFiles,
    pub(super) log: LogId,
    pub(super) retention: Retention,
    pub(super) settings: Settings,
    pub(super) session: u32,
    pub(super) epochs: RwLock<Arc<Epochs>>,
    /// The state for appending and discarding. Its lock is held while something is appended or discarded.
    pub(super) writing: Mutex<Writing>,
    /// The state that readers see. An appended entry becomes a part of this state only when the entry is durable. The
    /// state is locked only for a short time.
    pub(super) held: RwLock<Held>,
    /// The newest presence updates. Its lock is held only for a short time, and no other lock is taken meanwhile.
    pub(super) presence: Mutex<Presence>,
    /// The lock for changing sealed segments, by erasing or rewriting.
    pub(super) keeping: Mutex<()>,
    /// The error with which the log refuses updates from some time on; empty as long as it accepts them.
    stopped: OnceLock<LogError>,
    /// The newest time that any caller has passed to the log, in milliseconds since the Unix epoch.
    now: AtomicU64,
}

/// The settings of a log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// The size of a segment in bytes. A segment is sealed before an append would make it larger.
    pub(super) segment_bytes: u64,
}

/// The state that readers see.
#[derive(Debug)]
pub(super) struct Held {
    /// The segments, oldest first.
    pub(super) segments: VecDeque<Arc<Segment>>,
    pub(super) bounds: Bounds,
    /// The amounts from which the numbers in `bounds` are computed.
    pub(super) tally: Tally,
    /// The tables of the hashes of publishers' IDs, of segments that retention has removed, oldest first.
    pub(super) old_ids: VecDeque<(Offset, Ids)>,
}

/// The amounts of the records of the log. If a record is damaged while the log is open, it counts until the log begins
/// with a later segment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    /// The first offset of the segment in which the log begins.
    pub(super) segment: Offset,
    /// The amounts of the records of this segment and of all later ones.
    pub(super) stored: Amounts,
    /// The amounts of those of these records that are before the beginning of the log.
    pub(super) passed: Amounts,
}

/// The state for appending and discarding.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) active: Option<Active>,
    /// The epoch of the entries that this process appends. The epoch begins with the first of these entries.
    pub(super) epoch: Epoch,
    pub(super) batch: u64,
    /// The error of the last append or of the last try after it, and its time; `None` if the last append succeeded.
    pub(super) failed: Option<(LogError, Instant)>,
    pub(super) frame: Vec<u8>,
    /// The next entries to discard, read in advance.
    pub(super) oldest: VecDeque<Ahead>,
}

/// The facts about a record that decide whether its entry is discarded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ahead {
    /// The first offset of its segment.
    pub(super) segment: Offset,
    pub(super) first: Offset,
    /// The last offset. Only the record of a run of presence updates has more than one offset.
    pub(super) last: Offset,
    pub(super) time: Timestamp,
    /// The number of bytes that count; `None` for presence updates, of which neither number nor bytes count.
    pub(super) bytes: Option<u64>,
}

/// The active segment: the segment to which entries are appended.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) segment: Arc<Segment>,
    pub(super) file: Arc<File>,
    /// The length of the file, including the zeros after the last frame.
    pub(super) filled: u64,
}

impl Store {
    pub(super) fn new(
        directory: Directory,
        (log, session): (LogId, u32),
        (retention, settings): (Retention, Settings),
        epochs: Epochs,
        (held, presence): (Held, Presence),
    ) -> Self {
        let epoch = Epoch::random();
        let writing =
            Writing { active: None, epoch, batch: 0, failed: None, frame: Vec::new(), oldest: VecDeque::new() };
        Self {
            directory,
            files: OpenFiles::default(),
            log,
            retention,
            settings,
            session,
            epochs: RwLock::new(Arc::new(epochs)),
            writing: Mutex::new(writing),
            held: RwLock::new(held),
            presence: Mutex::new(presence),
            keeping: Mutex::new(()),
            stopped: OnceLock::new(),
            now: AtomicU64::new(0),
        }
    }

    pub(super) fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn presence(&self) -> MutexGuard<'_, Presence> {
        self.presence.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keeping(&self) -> MutexGuard<'_, ()> {
        self.keeping.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn held_mut(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn bounds(&self) -> Bounds {
        self.held().bounds.clone()
    }

    pub(super) fn epochs(&self) -> Arc<Epochs> {
        Arc::clone(&self.epochs.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_epochs(&self, epochs: Epochs) {
        *self.epochs.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(epochs);
    }

    /// Opens the segment's file of this kind, unless it is open already.
    pub(super) fn open(&self, segment: &Segment, kind: Kind) -> io::Result<Arc<File>> {
        self.files.get(&self.directory, segment.first, segment.generation, kind)
    }

    /// Calls `work`, and calls it again if a segment was rewritten or removed during the call; at most [`ATTEMPTS`]
    /// times in all.
    pub(super) fn retry<T>(&self, mut work: impl FnMut() -> Result<T, LogError>) -> Result<T, LogError> {
        let mut attempts = 1;
        loop {
            match work() {
                Err(LogError::Io(error)) if error.kind() == io::ErrorKind::NotFound && attempts < ATTEMPTS => {
                    attempts += 1;
                }
                result => return result,
            }
        }
    }

    /// Stops the log, because its files have vanished: it accepts no more updates from now on.
    pub(super) fn vanished(&self, what: &str) {
        _ = self.stop(&LogError::Stopped(format!("{what} of the log was removed or replaced")));
    }

    /// Stops the log after an error of a sync: it accepts no more updates from now on. Returns the error that
    /// publishers get from now on. After such an error the system may drop what it could not write, so a second attempt
    /// could succeed without having written it.
    pub(super) fn could_not_sync(&self, error: &io::Error) -> LogError {
        self.stop(&LogError::Failed(format!("the disk could not sync: {error}")))
    }

    /// Stops the log, because its own code has panicked.
    pub(super) fn panicked(&self) {
        _ = self.stop(&LogError::Failed("the thread that maintains the log has panicked".to_owned()));
    }

    fn stop(&self, error: &LogError) -> LogError {
        // The hub logs that it has failed.
        if self.stopped.set(error.again()).is_ok() && !matches!(error, LogError::Failed(_)) {
            tracing::error!("{error}");
        }
        self.stopped.get().unwrap_or(error).again()
    }

    /// Checks that the log still accepts updates.
    ///
    /// # Errors
    /// [`LogError::Stopped`] or [`LogError::Failed`] if the log accepts no more updates.
    pub(super) fn check(&self) -> Result<(), LogError> {
        self.stopped.get().map_or(Ok(()), |error| Err(error.again()))
    }

    /// Notes the time `now`, and returns the newest time that was ever noted.
    pub(super) fn hear(&self, now: Timestamp) -> Timestamp {
        Timestamp(self.now.fetch_max(now.0, Ordering::Relaxed).max(now.0))
    }
}

impl Tally {
    /// The amounts of the records from the beginning of the log on.
    pub(super) fn held(&self) -> Amounts {
        let mut held = self.stored;
        held -= self.passed;
        held
    }
}

impl Ahead {
    /// The amounts of the record, without the offsets before `oldest`.
    pub(super) fn amounts(&self, oldest: Offset) -> Amounts {
        match self.bytes {
            Some(bytes) => Amounts { entries: 1, presence: 0, bytes },
            None => Amounts { presence: self.last.0 + 1 - self.first.max(oldest).0, ..Amounts::default() },
        }
    }
}

impl Held {
    /// Returns the tally when the log begins at the beginning of the segment `segment`. If the log begins in this
    /// segment already, the tally stays the same.
    pub(super) fn tally_from(&self, tally: Tally, segment: Offset) -> Tally {
        if segment <= tally.segment {
            return tally;
        }
        let mut tally = Tally { segment, ..Tally::default() };
        for stored in self.segments.iter().filter(|stored| stored.first >= segment) {
            tally.stored += stored.summary().amounts(stored.first);
        }
        tally
    }

    /// Notes the tally of the log, and the numbers of `bounds` that follow from it.
    pub(super) fn set_tally(&mut self, tally: Tally) {
        let Amounts { entries, presence, .. } = tally.held();
        self.tally = tally;
        (self.bounds.held, self.bounds.presence) = (entries, presence);
    }

    /// Returns the last segment that begins at `offset` or before. If the log has an entry with this offset, it is in
    /// this segment.
    pub(super) fn segment_of(&self, offset: Offset) -> Option<&Arc<Segment>> {
        let behind = self.segments.partition_point(|segment| segment.first <= offset);
        self.segments.get(behind.checked_sub(1)?)
    }

    /// Returns the last offset that can be in a segment: the offset before the next segment or, if there is none, the
    /// newest offset of the log.
    pub(super) fn last_of(&self, segment: &Segment) -> Offset {
        let behind = self.segments.partition_point(|other| other.first <= segment.first);
        self.segments.get(behind).map_or(self.bounds.head, |next| Offset(next.first.0 - 1))
    }
}
