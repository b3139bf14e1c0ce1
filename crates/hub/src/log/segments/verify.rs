//! Verifies a log: checks every byte of every file, even while a hub writes to the log.
//!
//! What looks like damage may be a write that is not finished, or a segment that is being rewritten or removed. So a
//! segment with flaws is checked again, and only lasting flaws are reported.
use super::{
    beside,
    directory::{Directory, Kind},
    end_mark::EndMark,
    finding::{Finding, Flaw, Verified},
    frames::Frames,
    head::LogId,
    identity,
    look::Looking,
    open_files::read_head,
    progress::{Progress, total},
    segment::Seeds,
    view::{LogView, directory},
    view_error::ViewError,
};
use crate::position::Offset;
use std::{fs::File, io, path::Path};

/// The state of verifying a log.
struct Verifying<'a> {
    directory: Directory,
    log: LogId,
    verified: Verified,
    /// The offset after the last record of the previous segment; `None` before the first segment.
    end: Option<Offset>,
    last_record: Offset,
    /// The oldest offset that the log holds, as far as this is known.
    oldest: Offset,
    holes: Vec<(String, Offset, Offset)>,
    progress: &'a mut dyn FnMut(Progress),
    total: u64,
}

impl LogView {
    /// Checks every byte of the log in the directory `path`, and returns the faults. `progress` is called several times
    /// during the check.
    ///
    /// # Errors
    /// [`ViewError`] if there is no log, or if a file cannot be read at all. A sector that cannot be read is reported
    /// as a fault.
    pub fn verify(path: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Verified, ViewError> {
        let directory = directory(path)?;
        let firsts = directory.segments(Kind::Log)?;
        let heads: Vec<_> = firsts
            .iter()
            .filter_map(|(first, _)| File::open(directory.file(*first, Kind::Log)).ok())
            .filter_map(|file| read_head(&file).ok().flatten())
            .map(|(head, _)| head)
            .collect();
        let Some(log) = identity::read(&directory, heads.iter())? else { return Err(ViewError::NoLog(path.into())) };
        let total = total(&directory)?;
        let mut verifying = Verifying {
            directory,
            log,
            verified: Verified::default(),
            end: None,
            last_record: Offset::ZERO,
            oldest: Offset(1),
            holes: Vec::new(),
            progress,
            total,
        };
        verifying.identity()?;
        for (number, (first, is_file)) in firsts.iter().enumerate() {
            verifying.segment(*first, *is_file, number + 1 == firsts.len())?;
        }
        verifying.old_ids(&firsts)?;
        verifying.end_mark(firsts.last().map_or(Offset::ZERO, |(first, _)| *first))?;
        Ok(verifying.end())
    }
}

impl Verifying<'_> {
    fn tell(&mut self, file: String, at: Option<u64>, flaw: Flaw) {
        self.verified.take(vec![Finding { file, at, flaw }]);
    }

    fn identity(&mut self) -> io::Result<()> {
        let Some(bytes) = self.directory.read(&self.directory.join(identity::NAME))? else {
            self.tell(identity::NAME.into(), None, Flaw::NoIdentity);
            return Ok(());
        };
        (self.verified.counts.files, self.verified.counts.bytes) = (1, bytes.len() as u64);
        match identity::decode(&bytes) {
            None => self.tell(identity::NAME.into(), None, Flaw::Damaged),
            Some(log) if log != self.log => self.tell(identity::NAME.into(), None, Flaw::Foreign),
            Some(_) => {}
        }
        Ok(())
    }

    fn segment(&mut self, first: Offset, is_file: bool, is_last: bool) -> io::Result<()> {
        if !is_file {
            self.tell(name(first, Kind::Log), None, Flaw::NotAFile);
            return Ok(());
        }
        let looking = Looking { directory: &self.directory, log: &self.log };
        let Some(look) = looking.until_stable(first, is_last)? else {
            // Retention has removed the segment during the check, and all segments before it. So missing offsets in
            // these segments are not reported.
            (self.end, _) = (None, self.holes.clear());
            return Ok(());
        };
        let counts = &mut self.verified.counts;
        (counts.files, counts.segments) = (counts.files + look.files, counts.segments + 1);
        let findings =
            look.flaws.into_iter().map(|(kind, (at, flaw))| Finding { file: name(first, kind), at: Some(at), flaw });
        let findings: Vec<_> = findings.collect();
        if let Some(frames) = look.frames {
            (counts.frames, counts.records) = (counts.frames + frames.frames, counts.records + frames.records);
            self.note_holes(first, &frames);
        }
        self.verified.take(findings);
        counts_bytes(&mut self.verified, look.bytes);
        let done = self.verified.counts.bytes.min(self.total);
        (self.progress)(Progress { done, total: self.total });
        Ok(())
    }

    fn note_holes(&mut self, first: Offset, frames: &Frames) {
        let (summary, file) = (frames.index.summary(), name(first, Kind::Log));
        if let Some(end) = self.end.filter(|end| *end < first) {
            self.holes.push((file.clone(), end, Offset(first.0 - 1)));
        }
        let holes = frames.index.holes().iter().take(super::finding::MAX_FINDINGS);
        self.holes.extend(holes.map(|(from, to)| (file.clone(), *from, *to)));
        self.end = Some(summary.end);
        self.last_record = Offset(summary.end.0 - 1);
        self.oldest = self.oldest.max(summary.oldest);
    }

    /// Verifies the files with the hashes of IDs of segments that retention has removed.
    fn old_ids(&mut self, held: &[(Offset, bool)]) -> io::Result<()> {
        for (first, is_file) in self.directory.segments(Kind::Ids)? {
            if held.iter().any(|(held, _)| *held == first) {
                continue;
            }
            let file = name(first, Kind::Ids);
            if !is_file {
                self.tell(file, None, Flaw::NotAFile);
                continue;
            }
            let Some(ids) = beside::open(&self.directory, first, Kind::Ids)? else { continue };
            let flaws = beside::ids(&ids, &Seeds::of(&self.log, first), None)?;
            self.verified.counts.files += 1;
            counts_bytes(&mut self.verified, ids.metadata()?.len());
            self.verified
                .take(flaws.into_iter().map(|(at, flaw)| Finding { file: file.clone(), at: Some(at), flaw }).collect());
        }
        Ok(())
    }

    fn end_mark(&mut self, newest: Offset) -> io::Result<()> {
        let Some(bytes) = self.directory.read(&self.directory.join(EndMark::NAME))? else { return Ok(()) };
        self.verified.counts.files += 1;
        counts_bytes(&mut self.verified, bytes.len() as u64);
        let file = EndMark::NAME.to_owned();
        let Some(mark) = EndMark::decode(&bytes) else {
            self.tell(file, None, Flaw::Damaged);
            return Ok(());
        };
        if mark.log != self.log {
            self.tell(file, None, Flaw::Foreign);
            return Ok(());
        }
        self.oldest = self.oldest.max(mark.oldest);
        // If there is a newer segment than the end mark names, or a newer one than those that were checked, a process
        // has appended to the log since then. In this case the mark is outdated, and its newest offset is not compared
        // with the last record.
        let is_current = mark.last_segment >= newest
            && self.directory.segments(Kind::Log)?.last().is_none_or(|(first, _)| *first <= newest);
        if is_current && self.last_record < mark.head {
            self.holes.push((file, self.last_record.next(), mark.head));
        }
        Ok(())
    }

    /// Reports the offsets that are missing although retention did not discard them, and returns the result.
    fn end(mut self) -> Verified {
        for (file, first, last) in std::mem::take(&mut self.holes) {
            if last >= self.oldest {
                self.tell(file, None, Flaw::Missing { first: first.max(self.oldest), last });
            }
        }
        self.verified
    }
}

fn counts_bytes(verified: &mut Verified, bytes: u64) {
    verified.counts.bytes += bytes;
}

fn name(first: Offset, kind: Kind) -> String {
    kind.name_of(first)
}
