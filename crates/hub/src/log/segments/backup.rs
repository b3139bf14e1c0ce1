//! A backup: a copy of a log that can be opened as a log. It can be made while a hub writes to the original.
//!
//! Sealed segments never change, so their files are linked, or copied where links are not possible. The active segment
//! is copied up to its last complete frame. The backup is made in a directory beside its target directory, and gets the
//! target's name when all of it is durable. So a backup that has the target's name is complete.
use super::{
    backup_error::BackupError,
    backup_place::Place,
    copy::{self, Copied},
    directory::{Directory, Kind},
    end_mark::EndMark,
    identity, open, presence_file,
    progress::{Progress, total},
    view::{LogView, directory},
};
use crate::{
    log::{Epochs, LogError},
    position::Offset,
};
use std::path::Path;

/// The greatest number of attempts to copy a segment that is rewritten during each attempt.
const ATTEMPTS: u32 = 20;

/// The result of a backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// The number of segments in the backup.
    pub segments: u64,
    /// The number of bytes in files that the backup shares with the log, because they are linked.
    pub linked_bytes: u64,
    /// The number of bytes that were copied.
    pub copied_bytes: u64,
    /// The oldest offset in the backup.
    pub oldest: Offset,
    /// The last offset in the backup.
    pub head: Offset,
}

/// The state of a backup that is being made.
struct Making<'a> {
    from: Directory,
    to: Directory,
    /// The newest offset in the log when the backup began.
    known: Offset,
    made: BackedUp,
    progress: Progress,
    tell: &'a mut dyn FnMut(Progress),
}

impl LogView {
    /// Makes a backup of the log in `from` in the directory `to`, which must be empty or not exist. A hub may have the
    /// log open. All updates that were acknowledged before this call are in the backup, in order, unless retention
    /// discards them during the backup. Updates that were erased before this call are not in it. `progress` is called
    /// several times while the backup is made.
    ///
    /// The backup is a log that has ended cleanly, so if updates at its end are lost later, the loss is noticed. On the
    /// same file system, the backup shares the files of sealed segments with the log.
    ///
    /// # Errors
    /// [`BackupError`]; then there is no backup.
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
        making.presence()?;
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
            // Something that is not a file, such as a directory, has the name of the segment. The updates of the
            // segment are lost, in the log and in the backup.
            if !is_file {
                continue;
            }
            match self.segment(first, Some(first) == last)? {
                Some(copied) => held.push((first, copied)),
                // Retention has removed the segment from the log, and all segments before it. So the copies of those
                // segments are removed, too.
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

    /// Links or copies a segment with the files beside it; `None` if the segment is gone.
    fn segment(&mut self, first: Offset, is_last: bool) -> Result<Option<Copied>, BackupError> {
        for _ in 0..ATTEMPTS {
            let Some((mut copied, taken)) = self.log_file(first, is_last)? else { return Ok(None) };
            // The index of the last segment is not copied: the hub may write it after the segment was copied, and it
            // would then name records that the copy of the segment does not have.
            let beside = if is_last { &[Kind::Erased, Kind::Ids][..] } else { &[Kind::Erased, Kind::Ids, Kind::Index] };
            for kind in beside {
                copied += self.link(first, *kind)?.unwrap_or_default();
            }
            // When a segment is rewritten, the new file gets the name of the segment before the list of erased updates
            // is removed. So if the name still belongs to the file that was copied, the list that was copied is
            // complete.
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

    /// Links or copies the files with the hashes of IDs of segments that retention has removed.
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

    /// Links or copies the file of the newest presence updates. While a hub has the log open there is no such file: then
    /// subscribers of a hub with the backup that follow presence are told of a gap.
    fn presence(&self) -> Result<(), BackupError> {
        let (from, to) = (self.from.join(presence_file::NAME), self.to.join(presence_file::NAME));
        copy::link_and_open(&from, &to).map(drop)
    }

    /// Writes the mark of a clean end to the backup, and makes the backup durable.
    fn end(&mut self, original: &LogView) -> Result<BackedUp, BackupError> {
        let path = self.to.path().to_owned();
        // The directory of the backup is opened only to read, because this process has locked it already.
        let Some((store, _)) = open::look_into(&path)? else { return Err(BackupError::Restless(path)) };
        let (bounds, before) = (store.bounds(), original.bounds());
        // Updates that are missing at the end of a damaged log are missing at the end of its backup too.
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

/// Returns the epochs in `before`, and the epochs in `now` that began after `before` was read.
fn together(before: &Epochs, now: &Epochs) -> Vec<(crate::position::Epoch, Offset)> {
    let mut epochs = before.to_vec();
    let begun = epochs.last().map_or(Offset::ZERO, |(_, first)| *first);
    let later = now.to_vec();
    let is_new = |(epoch, first): &&(_, Offset)| *first >= begun && epochs.iter().all(|(known, _)| known != epoch);
    let later: Vec<_> = later.iter().filter(is_new).copied().collect();
    epochs.extend(later);
    epochs
}
