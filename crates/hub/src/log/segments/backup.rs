//! A backup: a copy of a log that is a log itself, made beside whoever writes the original.
//!
//! What is sealed never changes, so that its files are linked, or copied where they cannot be. Of the segment that is
//! written there is a copy up to its last whole frame. The backup is made beside its place and takes it when all of it
//! is durable: what is there is whole.
use super::{
    backup_error::BackupError,
    backup_place::Place,
    copy::{self, Copied},
    directory::{Directory, Kind},
    end_mark::EndMark,
    identity, open,
    progress::{Progress, total},
    view::{LogView, directory},
};
use crate::{
    log::{Epochs, LogError},
    position::Offset,
};
use std::path::Path;

/// The number of times that a segment is tried again which is rewritten while it is linked.
const ATTEMPTS: u32 = 20;

/// A backup that was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// The number of segments.
    pub segments: u64,
    /// The bytes that the backup shares with the log: its files are the same ones.
    pub linked_bytes: u64,
    /// The bytes that were copied.
    pub copied_bytes: u64,
    /// The oldest offset that is in it.
    pub oldest: Offset,
    /// The last offset that is in it.
    pub head: Offset,
}

/// A backup that is being made.
struct Making<'a> {
    from: Directory,
    to: Directory,
    /// The last offset that was in the log before.
    known: Offset,
    made: BackedUp,
    progress: Progress,
    tell: &'a mut dyn FnMut(Progress),
}

impl LogView {
    /// Makes a backup of the log in `from`, which a hub may have open, in the directory `to`, which must be empty or
    /// not exist. Everything is in it, in order, that was acknowledged before this was called; nothing that is erased
    /// already comes back with it. `progress` is called now and then.
    ///
    /// The backup is a log that has ended cleanly, so that it is told if it is shortened. On the same file system it
    /// shares the files of sealed segments with the log.
    ///
    /// # Errors
    /// [`BackupError`]; there is no backup then.
    pub fn backup(from: &Path, to: &Path, progress: &mut dyn FnMut(Progress)) -> Result<BackedUp, BackupError> {
        let original = Self::open(from)?;
        let place = Place::of(to, from)?;
        let to = place.begin()?;
        let from = directory(from)?;
        let total = total(&from).map_err(LogError::from)?;
        let mut making = Making {
            from,
            to,
            known: original.bounds().head,
            made: BackedUp::default(),
            progress: Progress { done: 0, total },
            tell: progress,
        };
        making.segments()?;
        making.identity()?;
        let made = making.end(&original)?;
        place.take(making.to)?;
        Ok(made)
    }
}

impl Making<'_> {
    fn segments(&mut self) -> Result<(), BackupError> {
        let firsts = self.from.segments(Kind::Log).map_err(LogError::from)?;
        let last = firsts.last().map(|(first, _)| *first);
        let mut held = Vec::new();
        for (first, is_file) in firsts {
            // What is not a file is lost in the log, and is so in the backup.
            if !is_file {
                continue;
            }
            match self.segment(first, Some(first) == last)? {
                Some(copied) => held.push((first, copied)),
                // Retention has removed it, and so all that was before it.
                None => {
                    for (first, _) in held.drain(..) {
                        self.remove(first)?;
                    }
                }
            }
            let done = &mut self.progress.done;
            *done = (*done + held.last().map_or(0, |(_, copied)| copied.bytes())).min(self.progress.total);
            (self.tell)(self.progress);
        }
        self.old_ids()?;
        self.made.segments = held.len() as u64;
        self.made.linked_bytes = held.iter().map(|(_, copied)| copied.linked).sum();
        self.made.copied_bytes = held.iter().map(|(_, copied)| copied.copied).sum();
        Ok(())
    }

    /// Takes a segment with what is beside it; `None` if it is gone.
    fn segment(&mut self, first: Offset, is_last: bool) -> Result<Option<Copied>, BackupError> {
        for _ in 0..ATTEMPTS {
            let Some((mut copied, taken)) = self.log_file(first, is_last)? else { return Ok(None) };
            // The index of a segment that is written may come to speak of more than was copied.
            let beside = if is_last { &[Kind::Erased, Kind::Ids][..] } else { &[Kind::Erased, Kind::Ids, Kind::Index] };
            for kind in beside {
                copied += self.link(first, *kind)?.unwrap_or_default();
            }
            // A segment takes its new name before the list of what was erased from the old one goes. As long as the
            // name is the old one's, the list that was taken is whole.
            if self.from.has(&self.from.file(first, Kind::Log), &taken) {
                return Ok(Some(copied));
            }
            self.remove(first)?;
        }
        Err(BackupError::Restless(self.from.file(first, Kind::Log)))
    }

    fn log_file(&self, first: Offset, is_last: bool) -> Result<Option<(Copied, std::fs::File)>, BackupError> {
        let (from, to) = (self.from.file(first, Kind::Log), self.to.file(first, Kind::Log));
        if is_last { copy::written(&from, &to, first, self.known) } else { copy::link_and_open(&from, &to) }
    }

    fn link(&self, first: Offset, kind: Kind) -> Result<Option<Copied>, BackupError> {
        let (from, to) = (self.from.file(first, kind), self.to.file(first, kind));
        Ok(copy::link_and_open(&from, &to)?.map(|(copied, _)| copied))
    }

    fn remove(&self, first: Offset) -> Result<(), BackupError> {
        for kind in [Kind::Log, Kind::Index, Kind::Ids, Kind::Erased] {
            copy::remove(&self.to.file(first, kind))?;
        }
        Ok(())
    }

    /// Takes the hashes of IDs of segments that are gone.
    fn old_ids(&self) -> Result<(), BackupError> {
        for (first, is_file) in self.from.segments(Kind::Ids).map_err(LogError::from)? {
            if is_file && self.to.file(first, Kind::Ids).symlink_metadata().is_err() {
                self.link(first, Kind::Ids)?;
            }
        }
        Ok(())
    }

    fn identity(&self) -> Result<(), BackupError> {
        let (from, to) = (self.from.join(identity::NAME), self.to.join(identity::NAME));
        copy::link_and_open(&from, &to).map(drop)
    }

    /// Lets the backup be a log that ended cleanly, and makes all of it durable.
    fn end(&mut self, original: &LogView) -> Result<BackedUp, BackupError> {
        let path = self.to.path().to_owned();
        // It has the lock already, and reads only.
        let Some((store, _)) = open::look_into(&path)? else { return Err(BackupError::Restless(path)) };
        let (bounds, before) = (store.bounds(), original.bounds());
        // What is missing at the end of a damaged log is missing at the end of its backup.
        let head = bounds.head.max(before.head);
        let oldest = bounds.oldest.max(before.oldest).min(head.next());
        let last_segment = store.held().segments.back().map_or(Offset::ZERO, |last| last.first);
        let epochs = together(&original.epochs(), &store.epochs());
        let mark = EndMark { log: store.log, last_segment, head, oldest, epochs };
        mark.write(&self.to).map_err(BackupError::of(self.to.join(EndMark::NAME)))?;
        self.to.sync().map_err(BackupError::of(path))?;
        Ok(BackedUp { head, oldest, ..self.made })
    }
}

/// The epochs of the log, and those of a run that began after they were read.
fn together(before: &Epochs, now: &Epochs) -> Vec<(crate::position::Epoch, Offset)> {
    let mut epochs = before.to_vec();
    let begun = epochs.last().map_or(Offset::ZERO, |(_, first)| *first);
    let later = now.to_vec();
    let is_new = |(epoch, first): &&(_, Offset)| *first >= begun && epochs.iter().all(|(known, _)| known != epoch);
    let later: Vec<_> = later.iter().filter(is_new).copied().collect();
    epochs.extend(later);
    epochs
}
