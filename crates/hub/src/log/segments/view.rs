//! A view: a log on disk that is only read, beside whoever writes it.
//!
//! It locks nothing, makes nothing and writes nothing. What it shows is the log of a moment, which [`LogView::refresh`]
//! moves on. A frame that is being written is not there yet.
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

/// The number of times in a row after which damage is damage. Before, it may be a write that is under way.
const STABLE_LOOKS: u32 = 5;
/// The most looks, if it is something else each time.
const MOST_LOOKS: u32 = 50;
/// The time between two of them.
const PAUSE: Duration = Duration::from_millis(20);
/// The number of times more after which missing entries are lost.
const SAME_READS: u32 = 2;
/// The number of times that something is read again because its segment was rewritten or removed.
const ATTEMPTS: u32 = 8;

/// A log on disk that is only read.
///
/// The ages after which a hub discards updates are the hub's: a view shows what is in the files, and leaves out what
/// was erased or has expired.
#[derive(Debug)]
pub struct LogView {
    path: PathBuf,
    pub(super) store: Store,
    recovery: Recovery,
    stamp: Option<Stamp>,
}

impl LogView {
    /// Looks into the log in the directory `path`.
    ///
    /// # Errors
    /// [`ViewError`] says why there is none to be read.
    pub fn open(path: &Path) -> Result<Self, ViewError> {
        check(path)?;
        let stamp = Stamp::of(path)?;
        let (store, recovery) = load(path)?;
        Ok(Self { path: path.into(), store, recovery, stamp })
    }

    /// Looks again, and returns true unless nothing was written since.
    ///
    /// # Errors
    /// [`ViewError`] if there is no log any more, or if it cannot be read.
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

    /// The oldest offset and the head.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.store.bounds()
    }

    /// The epochs of the log.
    #[must_use]
    pub fn epochs(&self) -> Arc<Epochs> {
        self.store.epochs()
    }

    /// The way in which the log had ended, if no process has it open.
    #[must_use]
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// The process that has the log open; `None` if there is none, or if this cannot be told (it can on Linux, of
    /// processes of the same container).
    #[must_use]
    pub fn holder(&self) -> Option<u32> {
        lock_holder::holder(&self.store.directory)
    }

    /// Reads on, as [`Log::read`](crate::log::Log::read) does.
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
            // What it misses may be in another file by now, or it was discarded.
            if lost.is_empty() || same >= SAME_READS || !self.refresh()? {
                return Ok(read);
            }
            before = lost;
        }
    }

    /// The place before the first entry of `time` or later.
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

    /// Does something, and again if a segment was rewritten or removed meanwhile.
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

/// Says what is wrong with a path before anything is read.
pub(super) fn check(path: &Path) -> Result<(), ViewError> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(ViewError::NotADirectory(path.into())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(ViewError::NotFound(path.into())),
        Err(error) => Err(error.into()),
    }
}

/// The signs of a write that is under way: something is missing in the last segment, or at the end.
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

/// Loads the log, again as long as what is missing in it may be under way.
fn load(path: &Path) -> Result<(Store, Recovery), ViewError> {
    let (mut before, mut same) = (None, 0);
    for look in 1.. {
        let loaded = match open::look_into(path) {
            // A segment was removed while its neighbours were read.
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
    unreachable!("it returns at the last look")
}

/// The log ends with its last record if somebody is writing what seems to be missing behind it.
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

/// The directory of a log, to read in it.
pub(super) fn directory(path: &Path) -> Result<Directory, ViewError> {
    check(path)?;
    Ok(Directory::look_into(path)?)
}
