//! Rewriting: copies a segment without its dead entries, which were erased, have expired or were discarded. The new
//! file gets the name of the old file when the new file is durable.
use super::{
    directory::{self, Kind},
    frame,
    head::SegmentHead,
    index::Index,
    index_memory::IndexMemory,
    open_files::read_head,
    scan::{Piece, Scan},
    segment::{Segment, add},
    store::Store,
};
use crate::{
    entry::Timestamp,
    log::{
        Found, LogError,
        record::{self, Kind as RecordKind, Record},
    },
    position::Offset,
};
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
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
    /// The oldest offset that the log holds.
    oldest: Offset,
    index: IndexMemory,
    /// The first time at which an entry of the new file expires or exceeds the age limit of its topics.
    dies: Timestamp,
    /// The offsets of the records that are smaller in the new file, and the number of bytes by which each is smaller.
    saved: Vec<(Offset, u64)>,
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
        let rewritten = self.write_again(segment, &new, now).inspect_err(|_| drop(fs::remove_file(&new)))?;
        let Rewriting { index, dies, saved, .. } = rewritten;
        let summary = *index.summary();
        let (first, generation) = (segment.first, segment.generation + 1);
        let fresh = Arc::new(Segment::new(first, generation, segment.seeds, Index::Memory(index), summary));
        {
            let mut state = fresh.state_mut();
            (state.dead_since, state.looked_at) = (dies, true);
        }
        let mut writing = self.writing();
        let mut held = self.held_mut();
        let Some(place) = held.segments.iter().position(|held| Arc::ptr_eq(held, segment)) else {
            // Retention has removed the segment meanwhile, so the new file is not needed.
            drop(fs::remove_file(&new));
            return Ok(());
        };
        fs::rename(&new, &path).inspect_err(|_| drop(fs::remove_file(&new)))?;
        held.segments[place] = fresh.clone();
        let oldest = held.bounds.oldest;
        let saved: u64 = saved.iter().filter(|(offset, _)| *offset >= oldest).map(|(_, bytes)| bytes).sum();
        held.bytes = held.bytes.saturating_sub(saved);
        // The sizes of the entries have changed, so the sizes that were read in advance are not right any more.
        writing.oldest.clear();
        let is_last = place + 1 == held.segments.len();
        drop((held, writing));
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

    fn write_again<'a>(&'a self, segment: &'a Segment, new: &Path, now: Timestamp) -> Result<Rewriting<'a>, LogError> {
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
            oldest,
            index: IndexMemory::new(segment.first),
            dies: Timestamp(u64::MAX),
            saved: Vec::new(),
        };
        let mut scan = Scan::new(&old, 0..end, segment.seeds.segment);
        while let Some((_, piece)) = scan.next()? {
            let Piece::Record(record) = piece else { continue };
            if record.position.offset >= oldest.max(rewriting.last.next()) {
                rewriting.take(&record, &erased, now)?;
            }
        }
        rewriting.end_frame()?;
        rewriting.index.end_at(rewriting.at, Offset::ZERO);
        rewriting.file.sync_all().map_err(|error| self.could_not_sync(&error))?;
        Ok(rewriting)
    }
}

impl Rewriting<'_> {
    fn take(&mut self, record: &Record<'_>, erased: &[Offset], now: Timestamp) -> io::Result<()> {
        if self.count == 0 {
            frame::begin(&mut self.frame);
            self.first = record.position.offset;
        } else if record.position.offset != self.last.next() {
            // The offsets of the records in a frame have no holes. There is a hole before this record, so it begins a
            // new frame.
            self.end_frame()?;
            return self.take(record, erased, now);
        }
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
        if let Some(written) = Record::read(&self.frame[begin..], seed) {
            add(&mut self.index, self.at + begin as u64, &written, &self.segment.seeds);
        }
        (self.last, self.count) = (offset, self.count + 1);
        if self.frame.len() >= FRAME_BYTES { self.end_frame() } else { Ok(()) }
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
