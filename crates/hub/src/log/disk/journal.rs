//! The journal: what was appended since the database was last synced.
//!
//! A commit of the database writes a dozen pages all over its file, and syncing them took longer than everything else
//! that a publication needs. So a batch is made durable by one write to one place, here, and one sync. The database
//! takes it without a sync of its own, and is synced when the journal is full; then the journal begins anew. After a
//! crash, what the database lacks is read from here.
//!
//! The file is a sequence of frames: magic number, session, batch, length and XXH3 of what follows, then the records of
//! one batch. Nothing is ever erased: frames of an earlier round are known by their age, since those of one round are
//! of one session and of ever later batches. If the very last frame is damaged later, it cannot be told from one that
//! was cut off, and its batch is lost.
use crate::log::disk::stored::{self, Fields, Record};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::Path,
};
use xxhash_rust::xxh3::xxh3_64;

/// How much the journal holds before the database is synced. That much is read and appended after a crash.
pub(super) const CAPACITY_BYTES: u64 = 4 << 20;
/// The file is written with zeros ahead, this much at a time: a sync then has nothing to write but data, while in a
/// part of the file that was never written it would also have to write where the file system found room.
const PREFILL_BYTES: u64 = 1 << 20;
/// The first bytes of every frame, of which the last is the format's version. No text in a record can hold them.
const MAGIC: [u8; 4] = [0xff, 0xfa, 0x4a, 1];
const HEAD_BYTES: usize = 28;

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    /// The place where the next frame goes.
    end: u64,
    /// How far the file was ever written.
    filled: u64,
    frame: Vec<u8>,
}

/// What a frame holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// Session and batch.
    pub(super) age: (u32, u64),
    /// The records, one behind the other.
    pub(super) records: Vec<u8>,
}

impl Journal {
    /// Opens the journal in the file `path`, or makes one.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let filled = file.metadata()?.len();
        Ok(Self { file, end: 0, filled, frame: Vec::new() })
    }

    /// Makes room for a batch whose records have this many bytes. Returns whether there is: not if the disk is full.
    pub(super) fn make_room(&mut self, bytes: usize) -> bool {
        let end = self.end + (HEAD_BYTES + bytes) as u64;
        end <= CAPACITY_BYTES && self.fill(end).is_ok()
    }

    /// Writes zeros ahead if the file was not written up to `end` yet.
    fn fill(&mut self, end: u64) -> io::Result<()> {
        if end > self.filled {
            let zeros = usize::try_from(end + PREFILL_BYTES - self.filled).map_err(io::Error::other)?;
            self.write_at(self.filled, &vec![0; zeros])?;
            self.filled = end + PREFILL_BYTES;
        }
        Ok(())
    }

    /// Makes a batch durable. If that fails, what is written is no frame, as far as that can be had.
    pub(super) fn append(&mut self, (session, batch): (u32, u64), records: &[u8]) -> io::Result<()> {
        let length = u32::try_from(records.len()).map_err(io::Error::other)?;
        self.frame.clear();
        self.frame.extend_from_slice(&MAGIC);
        self.frame.extend_from_slice(&session.to_le_bytes());
        self.frame.extend_from_slice(&batch.to_le_bytes());
        self.frame.extend_from_slice(&length.to_le_bytes());
        self.frame.extend_from_slice(&checksum(session, batch, records).to_le_bytes());
        self.frame.extend_from_slice(records);
        let frame = std::mem::take(&mut self.frame);
        let written = self.write_frame(&frame);
        if written.is_err() {
            // All of it: salvage looks for records wherever they stand.
            _ = self.write_at(self.end, &vec![0; frame.len()]);
        }
        self.frame = frame;
        written
    }

    fn write_frame(&mut self, frame: &[u8]) -> io::Result<()> {
        let end = self.end + frame.len() as u64;
        self.fill(end)?;
        self.write_at(self.end, frame)?;
        self.file.sync_data()?;
        self.end = end;
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.write_all(bytes)
    }

    /// Begins anew, once all that was appended is durable elsewhere.
    pub(super) fn begin_anew(&mut self) {
        self.end = 0;
    }

    /// True if nothing was appended in this round.
    pub(super) fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// The batches of the last round, oldest first. A frame that was cut off ends them: nobody was told of its batch.
    pub(super) fn batches(&mut self) -> io::Result<Vec<Batch>> {
        let bytes = self.bytes()?;
        let (mut batches, mut rest) = (Vec::<Batch>::new(), &bytes[..]);
        while let Some((batch, others)) = frame(rest) {
            let begins = batches.last().is_none_or(|last| last.age.0 == batch.age.0 && last.age.1 < batch.age.1);
            if !begins {
                break;
            }
            batches.push(batch);
            rest = others;
        }
        Ok(batches)
    }

    /// The batches of all whole frames wherever they stand: of the last round, of earlier ones, and behind a damaged
    /// frame.
    pub(super) fn all_batches(&mut self) -> io::Result<Vec<Batch>> {
        let bytes = self.bytes()?;
        let (mut batches, mut rest) = (Vec::new(), &bytes[..]);
        while let Some(at) = rest.iter().position(|byte| *byte == MAGIC[0]) {
            rest = &rest[at..];
            rest = match frame(rest) {
                Some((batch, others)) => {
                    batches.push(batch);
                    others
                }
                None => &rest[1..],
            };
        }
        Ok(batches)
    }

    fn bytes(&mut self) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut self.file).take(CAPACITY_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Batch {
    /// The records of the batch.
    pub(super) fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let mut rest = &self.records[..];
        std::iter::from_fn(move || {
            let record = Record::read(rest)?;
            rest = &rest[stored::declared_len(rest)?..];
            Some(record)
        })
    }
}

/// The frame at the beginning of `bytes`, if it is whole, and what follows it.
fn frame(bytes: &[u8]) -> Option<(Batch, &[u8])> {
    let mut fields = Fields(bytes.strip_prefix(&MAGIC)?);
    let age = (fields.u32()?, fields.u64()?);
    let length = usize::try_from(fields.u32()?).ok()?;
    let expected = fields.u64()?;
    let (records, rest) = fields.0.split_at_checked(length)?;
    (checksum(age.0, age.1, records) == expected).then(|| (Batch { age, records: records.to_vec() }, rest))
}

fn checksum(session: u32, batch: u64, records: &[u8]) -> u64 {
    xxh3_64(records) ^ u64::from(session).rotate_left(40) ^ batch
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal() -> (tempfile::NamedTempFile, Journal) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let journal = Journal::open(file.path()).unwrap();
        (file, journal)
    }

    fn ages(journal: &mut Journal) -> Vec<(u32, u64)> {
        journal.batches().unwrap().iter().map(|batch| batch.age).collect()
    }

    #[test]
    fn the_batches_of_the_last_round_are_read_and_no_others() {
        let (file, mut journal) = journal();
        assert!(journal.is_empty() && ages(&mut journal).is_empty());
        for batch in 1..=3 {
            journal.append((7, batch), &[0xab; 100]).unwrap();
        }
        let expected: Vec<_> = (1..=3).map(|batch| Batch { age: (7, batch), records: vec![0xab; 100] }).collect();
        assert_eq!(journal.batches().unwrap(), expected);
        assert_eq!(Journal::open(file.path()).unwrap().batches().unwrap(), expected, "also by the next process");
        journal.begin_anew();
        assert!(journal.is_empty());
        journal.append((7, 5), &[0xcd; 100]).unwrap();
        assert_eq!(ages(&mut journal), [(7, 5)], "what follows is older");
        journal.begin_anew();
        journal.append((8, 1), &[0xcd; 100]).unwrap();
        assert_eq!(ages(&mut journal), [(8, 1)], "of another session");
    }

    #[test]
    fn a_frame_that_is_not_whole_ends_them() {
        let (file, mut journal) = journal();
        for batch in 1..=3 {
            journal.append((1, batch), &[0xab; 10]).unwrap();
        }
        let whole = std::fs::read(file.path()).unwrap();
        let frame = HEAD_BYTES + 10;
        for place in 0..3 * frame {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            std::fs::write(file.path(), &bytes).unwrap();
            let read = ages(&mut Journal::open(file.path()).unwrap());
            let expected: Vec<_> = (1..=3).map(|batch| (1, batch)).take(place / frame).collect();
            assert_eq!(read, expected, "byte {place}");
        }
        for length in 0..=3 * frame {
            std::fs::write(file.path(), &whole[..length]).unwrap();
            assert_eq!(ages(&mut Journal::open(file.path()).unwrap()).len(), length / frame, "{length} bytes");
        }
    }

    #[test]
    fn its_size_is_bounded() {
        let (file, mut journal) = journal();
        let bytes = 100_000;
        for batch in 0.. {
            if !journal.make_room(bytes) {
                break;
            }
            journal.append((1, batch), &vec![1; bytes]).unwrap();
        }
        assert!(file.as_file().metadata().unwrap().len() <= CAPACITY_BYTES + PREFILL_BYTES);
        assert_eq!(ages(&mut journal).len() as u64, CAPACITY_BYTES / (HEAD_BYTES + bytes) as u64);
        journal.begin_anew();
        let most = usize::try_from(CAPACITY_BYTES).unwrap() - HEAD_BYTES;
        assert!(journal.make_room(most) && !journal.make_room(most + 1));
    }
}
