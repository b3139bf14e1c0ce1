//! A view: a log on disk that is only read, even while another process writes to it.
//!
//! A view locks nothing, creates nothing and writes nothing. It shows the log as it was at one moment;
//! [`LogView::refresh`] brings it up to date. A frame that is still being written is not shown.
use super::{
    directory::Directory,
    index::Index,
    lock_holder,
    open::{self, Recovery},
    stamp::Stamp,
    store::Store,
    view_error::ViewError,
};
use crate::{
    entry::Timestamp,
    log::{Bounds, Candidates, Epochs, Found, LogError, Query, Read},
    position::Offset,
};
use fanfare_event_stream::EventId;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

/// The number of times in a row that the same damage must be found to be reported. Damage that is found fewer times may
/// be a write that is not finished.
const STABLE_LOOKS: u32 = 5;
/// The greatest number of attempts to load the log, if the damage looks different each time.
const MOST_LOOKS: u32 = 50;
/// The time between two attempts to load the log.
const PAUSE: Duration = Duration::from_millis(20);
/// The number of times that entries must be missing again, when the log is read once more, before they are reported as
/// lost.
const SAME_READS: u32 = 2;
/// The greatest number of attempts if a segment is rewritten or removed during each read.
const ATTEMPTS: u32 = 8;

/// A log on disk that is only read.
///
/// A view does not know the ages after which the hub discards updates: it shows everything in the files, except updates
/// that were erased or have expired.
#[derive(Debug)]
pub struct LogView {
    path: PathBuf,
    pub(super) store: Store,
    recovery: Recovery,
    stamp: Option<Stamp>,
}

impl LogView {
    /// Opens the log in the directory `path` for reading.
    ///
    /// # Errors
    /// [`ViewError`] with the reason why no log can be read from `path`.
    pub fn open(path: &Path) -> Result<Self, ViewError> {
        check(path)?;
        let stamp = Stamp::of(path)?;
        let (store, recovery) = load(path)?;
        Ok(Self { path: path.into(), store, recovery, stamp })
    }

    /// Brings the view up to date. Returns false if nothing was written to the log since it was last read.
    ///
    /// # Errors
    /// [`ViewError`] if the log is gone or cannot be read.
    pub fn refresh(&mut self) -> Result<bool, ViewError> {
        check(&self.path)?;
        let stamp = Stamp::of(&self.path)?;
        if stamp.is_some() && stamp == self.stamp {
            return Ok(false);
        }
        (self.store, self.recovery) = load(&self.path)?;
        self.stamp = stamp;
        Ok(true)
    }

    /// The oldest offset that the log holds, and the newest offset that was ever appended.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.store.bounds()
    }

    /// The epochs of the log.
    #[must_use]
    pub fn epochs(&self) -> Arc<Epochs> {
        self.store.epochs()
    }

    /// The state in which the last process left the log. This state has no meaning while a process has the log open.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The number (PID) of the process that has the log open; `None` if no process has, or if the system does not say.
    /// Linux only shows processes of the same container.
    #[must_use]
    pub fn holder(&self) -> Option<u32> {
        lock_holder::holder(&self.store.directory)
    }

    /// Reads entries as [`Log::read`](crate::log::Log::read) does.
    ///
    /// # Errors
    /// [`ViewError`] if the log cannot be read.
    pub fn read(&mut self, query: &Query<'_>) -> Result<Read, ViewError> {
        let (mut before, mut same) = (Vec::new(), 0);
        loop {
            let read = self.store.read(query)?;
            let is_lost = |found: &&Found| matches!(found, Found::Lost(..));
            let lost: Vec<_> = read.found.iter().filter(is_lost).cloned().collect();
            same = if lost == before { same + 1 } else { 0 };
            // The missing entries may meanwhile be in a rewritten file, or may have been discarded. So the view is
            // brought up to date, and the entries are read again.
            if lost.is_empty() || same >= SAME_READS || !self.refresh()? {
                return Ok(read);
            }
            before = lost;
        }
    }

    /// Returns the offset directly before the first entry of `time` or later; the newest offset of the log if there is
    /// no such entry.
    ///
    /// # Errors
    /// [`ViewError`] if the log cannot be read.
    pub fn place_at(&mut self, time: Timestamp) -> Result<Offset, ViewError> {
        self.again(|store| store.place_at(time))
    }

    /// Finds the updates to which publishers gave this ID, oldest first.
    ///
    /// # Errors
    /// [`ViewError`] if the log cannot be read.
    pub fn locate(&mut self, id: &EventId, now: Timestamp) -> Result<Candidates, ViewError> {
        self.again(|store| store.locate(id, now))
    }

    /// Calls `work`. If a segment was rewritten or removed during the call, brings the view up to date and calls `work`
    /// again.
    pub(super) fn again<T>(&mut self, work: impl Fn(&Store) -> Result<T, LogError>) -> Result<T, ViewError> {
        let mut attempts = 1;
        loop {
            match work(&self.store) {
                Err(LogError::Io(error)) if error.kind() == io::ErrorKind::NotFound && attempts < ATTEMPTS => {
                    attempts += 1;
                    self.refresh()?;
                }
                done => return Ok(done?),
            }
        }
    }
}

/// Returns an error if the path is not a directory that exists.
pub(super) fn check(path: &Path) -> Result<(), ViewError> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(ViewError::NotADirectory(path.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ViewError::NotFound(path.into())),
        Err(error) => Err(error.into()),
    }
}

/// The signs of a write that may not be finished: entries are missing in the last segment or at the end of the log.
#[derive(Debug, PartialEq, Eq)]
struct Doubt {
    missing: Option<(Offset, Offset)>,
    holes: Vec<(Offset, Offset)>,
}

impl Doubt {
    fn of(store: &Store, recovery: &Recovery) -> Option<Self> {
        let held = store.held();
        let holes = match held.segments.back().map(|last| last.state()) {
            Some(state) => match &state.index {
                Index::Memory(index) => index.holes().to_vec(),
                Index::File(_) | Index::Missing => Vec::new(),
            },
            None => Vec::new(),
        };
        let oldest = held.bounds.oldest;
        let holes: Vec<_> = holes.into_iter().filter(|(_, last)| *last >= oldest).collect();
        let missing = recovery.missing;
        (missing.is_some() || !holes.is_empty()).then_some(Self { missing, holes })
    }
}

/// Loads the log, and loads it again as long as missing entries may belong to a write that is not finished.
fn load(path: &Path) -> Result<(Store, Recovery), ViewError> {
    let (mut before, mut same) = (None, 0);
    for look in 1.. {
        let loaded = match open::look_into(path) {
            // A segment was removed while other segments were read, so the log is loaded again.
            Err(LogError::Io(error)) if error.kind() == io::ErrorKind::NotFound && look < MOST_LOOKS => {
                check(path)?;
                continue;
            }
            loaded => loaded?,
        };
        let Some((store, mut recovery)) = loaded else { return Err(ViewError::NoLog(path.into())) };
        let doubt = Doubt::of(&store, &recovery);
        same = if doubt == before { same + 1 } else { 1 };
        if doubt.is_none() {
            return Ok((store, recovery));
        }
        if same >= STABLE_LOOKS || look >= MOST_LOOKS {
            forget_what_is_under_way(&store, &mut recovery);
            return Ok((store, recovery));
        }
        before = doubt;
        thread::sleep(PAUSE);
    }
    unreachable!("the loop returns after the last attempt")
}

/// Treats the last record as the end of the log, if a process has the log open: this process may still be writing the
/// entries that seem to be missing after the last record.
fn forget_what_is_under_way(store: &Store, recovery: &mut Recovery) {
    if recovery.was_clean || recovery.missing.is_none() || lock_holder::holder(&store.directory).is_none() {
        return;
    }
    let mut held = store.held_mut();
    let Some(last) = held.segments.back().map(|last| Offset(last.summary().end.0 - 1)) else { return };
    if last <= held.bounds.head && held.bounds.oldest <= last.next() {
        held.bounds.head = last;
        recovery.missing = None;
    }
}

/// Opens the directory of a log to read in it.
pub(super) fn directory(path: &Path) -> Result<Directory, ViewError> {
    check(path)?;
    Ok(Directory::look_into(path)?)
}
