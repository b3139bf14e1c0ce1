//! Checks a segment and the files beside it. The check is repeated until it is clear whether a fault is damage or a
//! write that is not finished.
use super::{
    beside::{self, Placed},
    directory::{Directory, Kind},
    finding::Flaw,
    frames::{self, Frames},
    head::LogId,
    lock_holder,
    open_files::read_head,
    segment::Seeds,
};
use crate::position::Offset;
use std::{fs::File, io, thread, time::Duration};

/// The number of checks in a row that must find the same flaws before they are reported.
const STABLE_LOOKS: u32 = 4;
/// The greatest number of checks of one segment, if its flaws change from check to check.
const MOST_LOOKS: u32 = 40;
/// The time between two checks of a segment.
const PAUSE: Duration = Duration::from_millis(20);

/// Checks the segments of a log.
pub(super) struct Looking<'a> {
    pub(super) directory: &'a Directory,
    pub(super) log: &'a LogId,
}

/// The result of one check of a segment and the files beside it.
pub(super) struct Look {
    pub(super) frames: Option<Frames>,
    pub(super) flaws: Vec<(Kind, Placed)>,
    pub(super) bytes: u64,
    pub(super) files: u64,
    /// True if the segment's file was removed, or replaced by another one, during the check.
    is_gone: bool,
}

impl Looking<'_> {
    /// Checks a segment until no fault is found, or the same faults are found several times in a row; `None` if the
    /// segment is gone.
    pub(super) fn until_stable(&self, first: Offset, is_last: bool) -> io::Result<Option<Look>> {
        let (mut before, mut same) = (None, 0);
        for number in 1.. {
            let look = match self.look(first) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                look => look?,
            };
            let holes = look.frames.as_ref().map(|frames| frames.index.holes().to_vec()).unwrap_or_default();
            if look.flaws.is_empty() && (holes.is_empty() || !is_last) && !look.is_gone {
                return Ok(Some(look));
            }
            let seen = (look.flaws.clone(), holes);
            same = if before.as_ref() == Some(&seen) { same + 1 } else { 1 };
            if (same >= STABLE_LOOKS && !look.is_gone) || number >= MOST_LOOKS {
                return Ok(Some(self.without_what_is_under_way(look, is_last)));
            }
            before = Some(seen);
            thread::sleep(PAUSE);
        }
        unreachable!("the loop returns after the last check")
    }

    /// Removes from the result the flaws after the last complete frame of the log, if a process has the log open: this
    /// process may be writing there.
    fn without_what_is_under_way(&self, mut look: Look, is_last: bool) -> Look {
        let end = look.frames.as_ref().map_or(0, |frames| frames.end);
        let is_behind = |(kind, (at, _)): &(Kind, Placed)| *kind == Kind::Log && *at >= end;
        if is_last && look.flaws.iter().any(is_behind) && lock_holder::holder(self.directory).is_some() {
            look.flaws.retain(|flaw| !is_behind(flaw));
        }
        look
    }

    fn look(&self, first: Offset) -> io::Result<Look> {
        let (path, seeds) = (self.directory.file(first, Kind::Log), Seeds::of(self.log, first));
        let file = File::open(&path)?;
        let length = file.metadata()?.len();
        let head = read_head(&file)?.map(|(head, _)| head);
        if let Some(head) = head.as_ref().filter(|head| head.log != *self.log || head.first != first) {
            tracing::debug!(?head, "the head of a segment belongs to another segment");
            let flaws = vec![(Kind::Log, (0, Flaw::Foreign))];
            return Ok(Look {
                frames: None,
                flaws,
                bytes: length,
                files: 1,
                is_gone: !self.directory.has(&path, &file),
            });
        }
        let frames = frames::walk(&file, first, seeds, length)?;
        let mut look = Look { flaws: Vec::new(), bytes: length, files: 1, is_gone: false, frames: None };
        look.flaws.extend(frames.flaws.iter().map(|flaw| (Kind::Log, *flaw)));
        // The files beside a damaged segment were written before the damage, so they are not compared with it.
        let index = Some(&frames.index).filter(|_| frames.flaws.is_empty());
        let segment = (first, head.map_or(0, |head| head.generation), &seeds);
        self.look_beside(&mut look, segment, Kind::Index, |file| beside::index(file, segment, index))?;
        self.look_beside(&mut look, segment, Kind::Ids, |file| beside::ids(file, &seeds, index))?;
        let end = index.map(|index| index.summary().end);
        self.look_beside(&mut look, segment, Kind::Erased, |file| beside::erased(self.directory, file, segment, end))?;
        look.frames = Some(frames);
        look.is_gone = !self.directory.has(&path, &file);
        Ok(look)
    }

    fn look_beside(
        &self,
        look: &mut Look,
        (first, ..): (Offset, u32, &Seeds),
        kind: Kind,
        check: impl FnOnce(&File) -> io::Result<Vec<Placed>>,
    ) -> io::Result<()> {
        let path = self.directory.file(first, kind);
        if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
            look.flaws.push((kind, (0, Flaw::NotAFile)));
            return Ok(());
        }
        let Some(file) = beside::open(self.directory, first, kind)? else { return Ok(()) };
        (look.bytes, look.files) = (look.bytes + file.metadata()?.len(), look.files + 1);
        look.flaws.extend(check(&file)?.into_iter().map(|flaw| (kind, flaw)));
        Ok(())
    }
}
