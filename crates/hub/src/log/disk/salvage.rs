//! Saving what can be read of a damaged log, without trust in anything but the records themselves.
//!
//! redb's trees may be torn anywhere, so the file, and the journal beside it, is searched for records as if it were one
//! long text: each has a magic number and a checksum. Pages that redb no longer uses are searched with the rest. What
//! they hold is true as well, or was overtaken: of two records with one offset the later one counts, and one that
//! stands behind a record of a later batch never became part of the log.
use super::{
    store::Store,
    superblock::{self, Superblock},
    tables::{self, Extent},
};
use crate::{
    log::{
        LogError,
        disk::stored::{self, Record},
        writer::{MAX_BATCH_BYTES, MAX_PUBLICATION_BYTES},
    },
    position::{Epoch, Offset, Position},
};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
    sync::Arc,
};

/// How much of the file is looked at at once, in bytes. A record that is larger is read alone.
const WINDOW_BYTES: usize = 4 * 1024 * 1024;
/// How many bytes of a record or a superblock say how long it is.
const LENGTH_BYTES: usize = 8;
/// The number of entries that are saved in one transaction.
const CHUNK_ENTRIES: usize = 4_096;

/// How much was saved.
pub(super) struct Salvaged {
    pub(super) entries: u64,
    pub(super) missing: u64,
}

/// Where in the file a whole record is, and what it says of itself.
struct Found {
    offset: Offset,
    /// Session and batch.
    age: (u32, u64),
    epoch: Epoch,
    /// The oldest offset held when it was appended.
    oldest: Offset,
    /// Which of the files it is in.
    file: usize,
    at: u64,
    bytes: usize,
}

/// Saves the entries of the files `damaged` (those of them that there are) into a new log in the empty file `new`.
///
/// Its last epoch is one that holds nothing but one lost offset: whoever saw the last entry saved is told of a gap,
/// since nobody can know whether more had followed.
pub(super) fn salvage(damaged: &[&Path], new: &Path) -> Result<Salvaged, LogError> {
    let (mut files, mut records, mut superblock) = (Vec::new(), Vec::new(), None);
    for path in damaged.iter().filter(|path| path.exists()) {
        files.push(File::open(path)?);
        search(&mut files, &mut records, &mut superblock)?;
    }
    let nothing = Superblock { session: 0, head: Offset::ZERO, oldest: Offset::ZERO, epochs: Vec::new() };
    let mut superblock = superblock.unwrap_or(nothing);
    keep_the_latest(&mut records, superblock.oldest);
    for found in &records {
        superblock.session = superblock.session.max(found.age.0);
        superblock.head = superblock.head.max(found.offset);
        if superblock.epochs.iter().all(|(epoch, _)| *epoch != found.epoch) {
            let place = superblock.epochs.partition_point(|(_, first)| *first <= found.offset);
            superblock.epochs.insert(place, (found.epoch, found.offset));
        }
    }
    if superblock.head > Offset::ZERO {
        superblock.head = superblock.head.next();
        superblock.epochs.push((Epoch::random(), superblock.head));
    }
    let store = Store::open(new)?;
    let mut extent = Extent::empty(Offset::ZERO);
    for chunk in chunks(&records) {
        copy(&mut files, chunk, &store, &mut extent)?;
    }
    store.write(|transaction| tables::put_superblock(transaction, &superblock))?;
    let entries = records.len() as u64;
    let span = records.first().zip(records.last()).map_or(0, |(first, last)| last.offset.0 - first.offset.0 + 1);
    Ok(Salvaged { entries, missing: span - entries })
}

/// Finds every whole record in the last of `files`, and the latest superblock.
fn search(files: &mut [File], records: &mut Vec<Found>, latest: &mut Option<Superblock>) -> io::Result<()> {
    let number = files.len() - 1;
    let Some(file) = files.last_mut() else { return Ok(()) };
    let mut window = Window { file, start: 0, bytes: Vec::new(), at: 0, is_last: false };
    window.load(0, WINDOW_BYTES)?;
    while let Some((at, rest)) = window.next_candidate()? {
        let mut passed = 1;
        if let Some(record) = Record::read(rest) {
            let (place, Position { epoch, offset }) = (record.place, record.position);
            passed = record.len();
            records.push(Found {
                offset,
                age: (place.session, place.batch),
                epoch,
                oldest: place.oldest,
                file: number,
                at,
                bytes: record.len(),
            });
        } else if let Some(block) = Superblock::read(rest)
            && latest.as_ref().is_none_or(|latest| (latest.session, latest.head) <= (block.session, block.head))
        {
            *latest = Some(block);
        }
        window.at += passed;
    }
    Ok(())
}

/// The part of the file that is looked at.
struct Window<'a> {
    file: &'a mut File,
    start: u64,
    bytes: Vec<u8>,
    /// Where in `bytes` the search goes on.
    at: usize,
    /// True if the file ends with this window.
    is_last: bool,
}

impl Window<'_> {
    /// Where something begins like a record or a superblock, and as much of it as it says it has.
    fn next_candidate(&mut self) -> io::Result<Option<(u64, &[u8])>> {
        loop {
            let rest = &self.bytes[self.at..];
            let found = rest.iter().position(|byte| *byte == stored::MAGIC[0]);
            self.at += found.unwrap_or(rest.len());
            let rest = &self.bytes[self.at..];
            let wanted = stored::declared_len(rest).or(superblock::declared_len(rest)).unwrap_or(LENGTH_BYTES);
            let wanted = wanted.min(MAX_PUBLICATION_BYTES);
            if rest.len() >= wanted || (self.is_last && found.is_some()) {
                return Ok(Some((self.start + self.at as u64, &self.bytes[self.at..])));
            }
            if self.is_last {
                return Ok(None);
            }
            self.load(self.start + self.at as u64, wanted.max(WINDOW_BYTES))?;
        }
    }

    fn load(&mut self, start: u64, bytes: usize) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(start))?;
        self.bytes.clear();
        Read::by_ref(self.file).take(bytes as u64).read_to_end(&mut self.bytes)?;
        (self.start, self.at, self.is_last) = (start, 0, self.bytes.len() < bytes);
        Ok(())
    }
}

/// Leaves one record for each offset, in order, and none that was discarded or overtaken.
fn keep_the_latest(records: &mut Vec<Found>, oldest: Offset) {
    let oldest = records.iter().map(|found| found.oldest).fold(oldest, Offset::max);
    records.retain(|found| found.offset >= oldest);
    records.sort_by_key(|found| (found.offset, std::cmp::Reverse(found.age)));
    records.dedup_by_key(|found| found.offset);
    let mut latest = (0, 0);
    records.retain(|found| {
        let counts = found.age >= latest;
        latest = latest.max(found.age);
        counts
    });
}

fn chunks(records: &[Found]) -> impl Iterator<Item = &[Found]> {
    let mut rest = records;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |found: &&Found| {
            bytes += found.bytes;
            bytes <= MAX_BATCH_BYTES
        };
        let count = rest.iter().take(CHUNK_ENTRIES).take_while(fits).count().max(1).min(rest.len());
        let (chunk, others) = rest.split_at(count);
        rest = others;
        (!chunk.is_empty()).then_some(chunk)
    })
}

fn copy(files: &mut [File], chunk: &[Found], store: &Store, extent: &mut Extent) -> Result<(), LogError> {
    let mut entries = Vec::with_capacity(chunk.len());
    let mut bytes = Vec::new();
    for found in chunk {
        bytes.resize(found.bytes, 0);
        let file = &mut files[found.file];
        file.seek(SeekFrom::Start(found.at))?;
        file.read_exact(&mut bytes)?;
        let entry = Record::read(&bytes).and_then(|record| record.entry());
        entries.push((
            Arc::new(entry.ok_or_else(|| LogError::Corrupt("the file changes while it is read".into()))?),
            found.age,
        ));
    }
    store.write(|transaction| {
        for run in entries.chunk_by(|(_, a), (_, b)| a == b) {
            let age = run[0].1;
            let run: Vec<_> = run.iter().map(|(entry, _)| Arc::clone(entry)).collect();
            tables::append(transaction, &run, age, extent, &mut Vec::new())?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        entry::{Entry, Timestamp},
        log::disk::stored::Place,
        topic::Topic,
        update::{Update, UpdateFields},
    };
    use std::io::Write;

    fn found(offset: u64, age: (u32, u64), oldest: u64) -> Found {
        let (epoch, oldest, offset) = (Epoch::from_bits(1), Offset(oldest), Offset(offset));
        Found { offset, age, epoch, oldest, file: 0, at: 0, bytes: 100 }
    }

    #[test]
    fn what_was_overtaken_or_discarded_is_left_out() {
        // Offset, session, batch, oldest offset held; and whether it is part of the log.
        let records = [
            (1, (1, 1), 1, false), // discarded: 2 is the oldest that any record knows of
            (2, (1, 1), 1, true),
            (3, (1, 2), 1, false), // a batch that failed: 3 was appended again in the next one
            (3, (1, 3), 1, true),
            (4, (1, 2), 1, false), // of the same failed batch, behind one that counts
            (5, (2, 1), 2, true),
            (6, (1, 9), 2, false), // of a session that was killed in its last batch
            (8, (2, 2), 2, true),
        ];
        let mut all: Vec<_> =
            records.iter().rev().map(|(offset, age, oldest, _)| found(*offset, *age, *oldest)).collect();
        keep_the_latest(&mut all, Offset::ZERO);
        let kept: Vec<_> = all.iter().map(|found| (found.offset.0, found.age)).collect();
        let expected = records.iter().filter(|(.., counts)| *counts).map(|(offset, age, ..)| (*offset, *age));
        assert_eq!(kept, expected.collect::<Vec<_>>());
    }

    #[test]
    fn records_are_found_wherever_they_stand() {
        let mut file = tempfile::tempfile().unwrap();
        let (mut record, mut offset, mut expected) = (Vec::new(), 0, Vec::new());
        // The second one crosses the end of the first window, the third is larger than a window, and the noise begins
        // like a record every few bytes.
        for (data_bytes, noise) in [(10, WINDOW_BYTES - 250), (10, 3), (WINDOW_BYTES + 1, 5_000), (10, 0), (10, 7)] {
            offset += 1;
            let topics = vec![Topic::new("a").unwrap()];
            let fields = UpdateFields { topics, data: "x".repeat(data_bytes), ..UpdateFields::default() };
            let position = Position { epoch: Epoch::from_bits(1), offset: Offset(offset) };
            let entry = Entry::new(position, Timestamp(0), Update::new(fields).unwrap());
            let place = Place { bytes_before: 0, oldest: Offset(1), session: 1, batch: 1 };
            stored::encode(&entry, place, &mut record);
            expected.push((offset, file.stream_position().unwrap(), record.len()));
            file.write_all(&record).unwrap();
            let mut pattern = stored::MAGIC.iter().chain(&[0xff, 0xff, 0xff]).cycle();
            file.write_all(&std::iter::from_fn(|| pattern.next().copied()).take(noise).collect::<Vec<_>>()).unwrap();
        }
        let (mut records, mut superblock) = (Vec::new(), None);
        search(&mut [file], &mut records, &mut superblock).unwrap();
        let records: Vec<_> = records.iter().map(|found| (found.offset.0, found.at, found.bytes)).collect();
        assert_eq!(records, expected);
        assert_eq!(superblock, None);
    }
}
