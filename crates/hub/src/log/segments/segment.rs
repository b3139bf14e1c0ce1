//! A segment: a file of frames, with its index.
use super::{
    directory::{self, Directory, Kind, MAX_OFFSET},
    head::{log_seed, segment_seed},
    index::{Index, NoAnswer, Summary},
    index_file::{self, Ids, IndexFile},
    index_memory::{IndexMemory, Indexed},
    open_files::OpenFiles,
    scan::{Piece, Scan},
};
use crate::{entry::Timestamp, log::record::Record, position::Offset};
use std::{
    fs::{self, File},
    io,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// One segment of the log.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) first: Offset,
    pub(super) generation: u32,
    pub(super) seeds: Seeds,
    state: RwLock<State>,
}

/// The seeds of the XXH3 hashes in the files of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seeds {
    /// The seed with which terms are hashed in the index. It is the same for all segments of a log.
    pub(super) log: u64,
    /// The seed of the checksums of frames and records. It is different for each segment, so that a frame of another
    /// segment is not accepted.
    pub(super) segment: u64,
}

/// The state of a segment that changes while the log is open.
#[derive(Debug)]
pub(super) struct State {
    pub(super) summary: Summary,
    pub(super) index: Index,
    /// The offsets that were erased and are still in the file, in order.
    pub(super) erased: Arc<[Offset]>,
    /// The first time at which an entry of the segment died or will die, as far as this is known. An entry dies when it
    /// is erased, expires, or exceeds the age limit of its topics.
    pub(super) dead_since: Timestamp,
    /// The time at which it was noticed that retention has discarded a part of the segment.
    pub(super) discarded_since: Timestamp,
    /// True if `dead_since` takes into account the age limits of topics.
    pub(super) looked_at: bool,
    /// True if readers get nothing of the segment, because the list of its erased updates is damaged.
    pub(super) is_withheld: bool,
}

const NEVER: Timestamp = Timestamp(u64::MAX);

impl Seeds {
    pub(super) fn of(log: &super::head::LogId, first: Offset) -> Self {
        Self { log: log_seed(log), segment: segment_seed(log, first) }
    }

    /// The seed of the index file. It is different for each rewrite of the segment.
    pub(super) fn index(&self, generation: u32) -> u64 {
        self.segment.rotate_left(17).wrapping_add(u64::from(generation) << 32)
    }

    /// The seed of the file with the hashes of IDs.
    pub(super) fn ids(&self) -> u64 {
        self.segment.rotate_left(31)
    }

    /// The seed of the file with the list of erased updates.
    pub(super) fn erased(&self, generation: u32) -> u64 {
        self.segment.rotate_left(43).wrapping_add(u64::from(generation) << 32)
    }
}

impl Segment {
    pub(super) fn new(first: Offset, generation: u32, seeds: Seeds, index: Index, summary: Summary) -> Self {
        let state = State {
            summary,
            index,
            erased: Arc::default(),
            dead_since: NEVER,
            discarded_since: NEVER,
            looked_at: false,
            is_withheld: false,
        };
        Self { first, generation, seeds, state: RwLock::new(state) }
    }

    pub(super) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn summary(&self) -> Summary {
        self.state().summary
    }

    /// Calls `question` with the index. If the index is damaged, makes it again by a scan, and calls `question` again.
    /// Returns `None` if there is no index.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if the segment was removed or rewritten.
    pub(super) fn ask<T>(
        &self,
        (directory, files): (&Directory, &OpenFiles),
        question: impl Fn(&Index, Option<&File>) -> Result<T, NoAnswer>,
    ) -> io::Result<Option<T>> {
        for attempt in 0..2 {
            let state = self.state();
            let file = match &state.index {
                Index::File(_) => files.get(directory, self.first, self.generation, Kind::Index).ok(),
                Index::Memory(_) => None,
                Index::Missing => return Ok(None),
            };
            match question(&state.index, file.as_deref()) {
                Ok(answer) => return Ok(Some(answer)),
                Err(NoAnswer::Io(error)) => return Err(error),
                Err(NoAnswer::Damaged) => {}
            }
            drop(state);
            if attempt == 0 {
                tracing::warn!(segment = self.first.0, "the index of a segment is damaged: it is made again");
                self.index_again(directory, files)?;
            }
        }
        Ok(None)
    }

    /// Makes the index by a scan, and writes it to its file if possible.
    fn index_again(&self, directory: &Directory, files: &OpenFiles) -> io::Result<()> {
        // An index file that is kept open may be from before the segment was rewritten, so it is closed.
        files.forget(self.first);
        let file = files.get(directory, self.first, self.generation, Kind::Log)?;
        let Summary { log_bytes, end, .. } = self.summary();
        let index = index_of(&file, (self.first, end), log_bytes, &self.seeds)?;
        let mut state = self.state_mut();
        let (holes_end, known) = (state.summary.end, index.summary().end);
        let written = directory.is_locked().then(|| self.write_index(directory, &index));
        state.index = match written {
            // If the segment has lost its last records since the old index was made, the new index would not show that
            // they are missing, so no index is used.
            Some(Ok(index)) if holes_end == known => Index::File(index),
            _ => Index::Missing,
        };
        Ok(())
    }

    /// Writes the index to a file beside the segment. The file need not be durable, because the index can be made
    /// again.
    pub(super) fn write_index(&self, directory: &Directory, index: &IndexMemory) -> io::Result<IndexFile> {
        let seed = self.seeds.index(self.generation);
        let path = directory.file(self.first, Kind::Index);
        let new = path.with_extension("index-new");
        let mut file = directory::create(&new)?;
        let bytes = index_file::encode(index, self.first, seed);
        let written = io::Write::write_all(&mut file, &bytes).and_then(|()| fs::rename(&new, &path));
        if written.is_err() {
            _ = fs::remove_file(&new);
        }
        written?;
        let (index, _) = IndexFile::open(&file, self.first, seed)
            .map_err(|_| io::Error::other("the index that was just written cannot be opened"))?;
        Ok(index)
    }

    /// Writes the hashes of publishers' IDs to a file beside the segment, if there are IDs and the file does not exist
    /// yet.
    pub(super) fn write_ids(&self, directory: &Directory, index: &IndexMemory) -> io::Result<()> {
        let (ids, path) = (index.ids(), directory.file(self.first, Kind::Ids));
        if ids.is_empty() || path.symlink_metadata().is_ok() {
            return Ok(());
        }
        let new = path.with_extension("ids-new");
        let mut file = directory::create(&new)?;
        let written = io::Write::write_all(&mut file, &Ids::encode(&ids, self.seeds.ids()));
        written.and_then(|()| fs::rename(&new, path)).inspect_err(|_| drop(fs::remove_file(&new)))
    }
}

/// Makes the index of a segment by a scan of its file up to position `end`. Records that are out of order are skipped.
/// Records with the offset `until` or a higher one are skipped too: they are left from a failed write that could not be
/// cut off, and their offsets belong to the next segment.
pub(super) fn index_of(
    file: &File,
    (first, until): (Offset, Offset),
    end: u64,
    seeds: &Seeds,
) -> io::Result<IndexMemory> {
    let mut index = IndexMemory::new(first);
    let mut scan = Scan::new(file, 0..end, seeds.segment);
    while let Some((at, piece)) = scan.next()? {
        match piece {
            Piece::Head(head) if head.first < until => index.end_at(at + head.frame_bytes(), head.oldest),
            Piece::Record(record) if record.position.offset < until => add(&mut index, at, &record, seeds),
            Piece::Head(_) | Piece::Record(_) => {}
        }
    }
    index.end_at(end, Offset::ZERO);
    Ok(index)
}

/// Adds a record of a scan to an index, unless its offset is out of order or too high.
pub(super) fn add(index: &mut IndexMemory, at: u64, record: &Record<'_>, seeds: &Seeds) {
    let offset = record.position.offset;
    if offset < index.summary().end || offset > MAX_OFFSET {
        return;
    }
    let (time, expires, bytes) = (record.time, record.expires(), record.bytes().len());
    let (last, is_of_presence) = (record.last(), record.is_of_presence());
    if last > MAX_OFFSET {
        return;
    }
    index.add(Indexed { offset, last, time, expires, at, bytes, is_of_presence }, record.terms(seeds.log));
}
