//! Rewriting: copies a segment without its dead entries, which were erased, have expired or were discarded, and makes
//! one record of each run of presence updates. The new file gets the name of the old file when the new file is durable.
use super::{
    directory::{self, Kind},
    frame,
    head::SegmentHead,
    index::{Amounts, Index},
    index_memory::IndexMemory,
    open_files::read_head,
    scan::{Piece, Scan},
    segment::{Segment, add},
    store::{Active, Store, Writing},
};
use crate::{
    entry::Timestamp,
    log::{
        Found, LogError,
        record::{self, Kind as RecordKind, Record, Token},
    },
    position::{Offset, Position},
};
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, MutexGuard},
};

/// The number of bytes at which a frame of a rewritten segment ends. The frame ends after the record that reaches this
/// number.
const FRAME_BYTES: usize = 64 << 10;

/// The state of rewriting a segment.
struct Rewriting<'a> {
    store: &'a Store,
    segment: &'a Segment,
    file: File,
    at: u64,
    frame: Vec<u8>,
    first: Offset,
    count: usize,
    last: Offset,
    /// The run of presence updates that was read last and is not in the frame yet.
    presence: Option<PresenceRun>,
    /// The oldest offset that the log holds.
    oldest: Offset,
    index: IndexMemory,
    /// The first time at which an entry of the new file expires or exceeds the age limit of its topics.
    dies: Timestamp,
    /// The offsets of the records that are smaller in the new file, and the number of bytes by which each is smaller.
    saved: Vec<(Offset, u64)>,
    /// The amounts of the records before the beginning of the log that the new file does not have.
    dropped: Amounts,
}

/// A run of presence updates: the position of the first of them, the offset of the last, the time of the last, and the
/// append that added the last.
struct PresenceRun {
    position: Position,
    last: Offset,
    time: Timestamp,
    token: Token,
}

/// Returns the path of a segment's new file, before it gets the name of the segment.
pub(super) fn unfinished(segment: &Path) -> PathBuf {
    segment.with_extension("log-new")
}

impl Store {
    /// Writes a sealed segment again, without its dead entries. The caller must hold the lock `keeping`.
    pub(super) fn rewrite(&self, segment: &Arc<Segment>, now: Timestamp) -> Result<(), LogError> {
        if let Index::Memory(index) = &segment.state().index {
            // The new file does not have the IDs of discarded entries, so the hashes of all IDs are first written to a
            // file.
            segment.write_ids(&self.directory, index)?;
        }
        let path = self.directory.file(segment.first, Kind::Log);
        let new = unfinished(&path);
        let (oldest, dropped) = {
            let held = self.held();
            let is_first = held.tally.segment == segment.first;
            (held.bounds.oldest, if is_first { held.tally.passed } else { Amounts::default() })
        };
        let rewritten = self.write_again(segment, &new, (oldest, dropped), now);
        let rewritten = rewritten.inspect_err(|_| drop(fs::remove_file(&new)))?;
        self.put_in_place(self.writing(), segment, rewritten, &new)
    }

    /// Writes the active segment again, with one record for each run of presence updates. It stays the active segment,
    /// so that many presence updates leave neither a large segment nor many small ones. Publications wait meanwhile.
    /// The caller must hold the lock `keeping`.
    pub(super) fn compact(&self, segment: &Arc<Segment>, now: Timestamp) -> Result<(), LogError> {
        let writing = self.writing();
        if !writing.active.as_ref().is_some_and(|active| Arc::ptr_eq(&active.segment, segment)) {
            return Ok(());
        }
        let new = unfinished(&self.directory.file(segment.first, Kind::Log));
        // Discarded entries stay in the file: their IDs are not noted in another file before the segment is sealed.
        let rewritten = self.write_again(segment, &new, (segment.first, Amounts::default()), now);
        let rewritten = rewritten.inspect_err(|_| drop(fs::remove_file(&new)))?;
        self.put_in_place(writing, segment, rewritten, &new)
    }

    /// Replaces a segment by its new file, whose path is `new`. If it is the active segment, it stays so.
    fn put_in_place(
        &self,
        mut writing: MutexGuard<'_, Writing>,
        segment: &Arc<Segment>,
        rewritten: Rewriting<'_>,
        new: &Path,
    ) -> Result<(), LogError> {
        let path = self.directory.file(segment.first, Kind::Log);
        let is_active = writing.active.as_ref().is_some_and(|active| Arc::ptr_eq(&active.segment, segment));
        let Rewriting { index, dies, saved, dropped, file, at, .. } = rewritten;
        let summary = *index.summary();
        let (first, generation) = (segment.first, segment.generation + 1);
        let fresh = Arc::new(Segment::new(first, generation, segment.seeds, Index::Memory(index), summary));
        {
            let mut state = fresh.state_mut();
            (state.dead_since, state.looked_at) = (dies, !is_active);
            // The discarded entries of the active segment are still in its file.
            if is_active {
                state.discarded_since = segment.state().discarded_since;
            }
        }
        let mut held = self.held_mut();
        let Some(place) = held.segments.iter().position(|held| Arc::ptr_eq(held, segment)) else {
            // Retention has removed the segment meanwhile, so the new file is not needed.
            drop(fs::remove_file(new));
            return Ok(());
        };
        fs::rename(new, &path).inspect_err(|_| drop(fs::remove_file(new)))?;
        held.segments[place] = fresh.clone();
        let (oldest, mut tally) = (held.bounds.oldest, held.tally);
        // The tally does not count a segment before the beginning of the log.
        if first >= tally.segment {
            tally.stored += summary.amounts(first);
            tally.stored -= segment.summary().amounts(first);
            tally.passed -= dropped;
            let bytes = saved.iter().filter(|(offset, _)| *offset < oldest).map(|(_, bytes)| bytes).sum();
            tally.passed -= Amounts { bytes, ..Amounts::default() };
            held.set_tally(tally);
        }
        // The sizes of the entries have changed, so the sizes that were read in advance are not right any more.
        writing.oldest.clear();
        let is_last = place + 1 == held.segments.len();
        drop(held);
        if is_active {
            writing.active = Some(Active { segment: fresh.clone(), file: Arc::new(file), filled: at });
        }
        // Nothing may be appended to the new file before its name is durable. Nothing is appended to a sealed segment.
        let _writing = is_active.then_some(writing);
        self.files.forget(first);
        self.directory.sync().map_err(|error| self.could_not_sync(&error))?;
        _ = fs::remove_file(self.directory.file(first, Kind::Erased));
        // When the log is opened without an end mark, an index file means that another segment follows. So the last
        // segment must not have an index file.
        if !is_last {
            self.write_down(&fresh);
        }
        Ok(())
    }

    /// Writes the new file of a segment, without the entries before the offset `from`. These have the amounts
    /// `dropped`.
    fn write_again<'a>(
        &'a self,
        segment: &'a Segment,
        new: &Path,
        (from, dropped): (Offset, Amounts),
        now: Timestamp,
    ) -> Result<Rewriting<'a>, LogError> {
        let old = self.open(segment, Kind::Log)?;
        let (end, erased) = {
            let state = segment.state();
            (state.summary.log_bytes, state.erased.clone())
        };
        let (session, epochs) = match read_head(&old)? {
            Some((head, _)) => (head.session, head.epochs),
            None => (self.session, self.epochs().to_vec()),
        };
        let generation = segment.generation + 1;
        let head = SegmentHead { log: self.log, first: segment.first, generation, session, epochs }.encode();
        let mut file = directory::create(new)?;
        file.write_all(&head)?;
        let oldest = self.bounds().oldest;
        let mut rewriting = Rewriting {
            store: self,
            segment,
            file,
            at: head.len() as u64,
            frame: Vec::new(),
            first: segment.first,
            count: 0,
            last: Offset::ZERO,
            presence: None,
            oldest,
            index: IndexMemory::new(segment.first),
            dies: Timestamp(u64::MAX),
            saved: Vec::new(),
            dropped,
        };
        let mut scan = Scan::new(&old, 0..end, segment.seeds.segment);
        while let Some((_, piece)) = scan.next()? {
            let Piece::Record(record) = piece else { continue };
            let from = from.max(rewriting.next());
            match record.is_of_presence() {
                true => rewriting.take_presence(&record, from)?,
                false if record.position.offset >= from => rewriting.take(&record, &erased, now)?,
                false => {}
            }
        }
        rewriting.end_presence()?;
        rewriting.end_frame()?;
        rewriting.index.end_at(rewriting.at, Offset::ZERO);
        rewriting.file.sync_all().map_err(|error| self.could_not_sync(&error))?;
        Ok(rewriting)
    }
}

impl Rewriting<'_> {
    /// The offset after the last one that was taken.
    fn next(&self) -> Offset {
        self.presence.as_ref().map_or(self.last, |run| run.last).next()
    }

    /// Takes the part of a run of presence updates from the offset `from` on, and joins it to the run before it.
    fn take_presence(&mut self, record: &Record<'_>, from: Offset) -> io::Result<()> {
        let (first, last, time, token) = (record.position.offset.max(from), record.last(), record.time, record.token);
        if last < first {
            return Ok(());
        }
        match &mut self.presence {
            Some(run) if run.last.next() == first => (run.last, run.time, run.token) = (last, time, token),
            _ => {
                self.end_presence()?;
                let position = Position { offset: first, ..record.position };
                self.presence = Some(PresenceRun { position, last, time, token });
            }
        }
        Ok(())
    }

    /// Puts the run of presence updates that was read last into the frame, if there is one.
    fn end_presence(&mut self) -> io::Result<()> {
        let Some(PresenceRun { position, last, time, token }) = self.presence.take() else { return Ok(()) };
        self.begin(position.offset)?;
        let begin = self.frame.len();
        record::encode_presence((position, last), time, token, self.segment.seeds.segment, &mut self.frame);
        self.taken(begin, last)
    }

    /// Begins a frame with the offset `offset`, unless the current frame continues with it: the offsets of the records
    /// in a frame have no holes.
    fn begin(&mut self, offset: Offset) -> io::Result<()> {
        if self.count > 0 && offset != self.last.next() {
            self.end_frame()?;
        }
        if self.count == 0 {
            frame::begin(&mut self.frame);
            self.first = offset;
        }
        Ok(())
    }

    /// Notes the record that was put into the frame at `begin`, with the last offset `last`.
    fn taken(&mut self, begin: usize, last: Offset) -> io::Result<()> {
        if let Some(written) = Record::read(&self.frame[begin..], self.segment.seeds.segment) {
            add(&mut self.index, self.at + begin as u64, &written, &self.segment.seeds);
        }
        self.last = last;
        // A segment has fewer offsets than a frame can have.
        self.count = usize::try_from(last.0 + 1 - self.first.0).unwrap_or(usize::MAX);
        if self.frame.len() >= FRAME_BYTES { self.end_frame() } else { Ok(()) }
    }

    fn take(&mut self, record: &Record<'_>, erased: &[Offset], now: Timestamp) -> io::Result<()> {
        self.end_presence()?;
        self.begin(record.position.offset)?;
        let (log_seed, seed) = (self.segment.seeds.log, self.segment.seeds.segment);
        let begin = self.frame.len();
        let shown = record.found().map(|found| (self.store.judge(found, record, erased, now), record.is_update()));
        match shown {
            Some((Found::Erased(_), true)) => {
                record::encode_rest(record, RecordKind::Erased, log_seed, seed, &mut self.frame);
            }
            Some((Found::Discarded(_), true)) => {
                record::encode_rest(record, RecordKind::Discarded, log_seed, seed, &mut self.frame);
            }
            _ => self.frame.extend_from_slice(record.bytes()),
        }
        if let Some((Found::Entry(entry), _)) = &shown {
            self.dies = self.dies.min(self.store.retention.dies(entry));
        }
        let offset = record.position.offset;
        let bytes = self.frame.len() - begin;
        if bytes < record.bytes().len() {
            self.saved.push((offset, (record.bytes().len() - bytes) as u64));
        }
        self.taken(begin, offset)
    }

    fn end_frame(&mut self) -> io::Result<()> {
        if self.count > 0 {
            frame::end(&mut self.frame, (self.first, self.count), self.oldest, self.segment.seeds.segment);
            self.file.write_all(&self.frame)?;
            self.at += self.frame.len() as u64;
            self.index.end_at(self.at, self.oldest);
        }
        self.count = 0;
        Ok(())
    }
}
