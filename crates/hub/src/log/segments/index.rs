//! The index of a segment: what is where. It is in memory as long as the segment is written, and afterwards in a file
//! beside it, which can always be made again by a scan.
use super::{index_file::IndexFile, index_memory::IndexMemory};
use crate::{entry::Timestamp, log::terms::Term, position::Offset};
use std::{fs::File, io};

/// There is one place in an index for this many bytes of a segment.
pub(super) const PLACE_BYTES: u64 = 4 << 10;

/// A summary of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// The place in the file behind the last frame.
    pub(super) log_bytes: u64,
    /// The offset behind the last record.
    pub(super) end: Offset,
    /// The time of the first and of the last record.
    pub(super) first_time: Timestamp,
    pub(super) last_time: Timestamp,
    /// The bytes of all records.
    pub(super) record_bytes: u64,
    /// The first time at which an update expires, by its own time to live.
    pub(super) next_expiry: Timestamp,
    /// The oldest offset that the log held when the last frame was written.
    pub(super) oldest: Offset,
}

/// The place of a record that has a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Posting {
    pub(super) offset: Offset,
    pub(super) at: u64,
}

/// A stretch of offsets, both ends included, and the most postings that are wanted of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) from: Offset,
    pub(super) until: Offset,
    pub(super) most: usize,
}

/// The index, wherever it is.
#[derive(Debug)]
pub(super) enum Index {
    Memory(IndexMemory),
    File(IndexFile),
    /// It could not be written: everything is found by a scan.
    Missing,
}

/// The reason why an index does not answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// There is no index, or what it says is not what was written to it.
    Damaged,
    Io(io::Error),
}

impl From<io::Error> for NoAnswer {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Index {
    /// The records with a term, in order. `file` is that of the index, if it is in one.
    pub(super) fn postings(&self, file: Option<&File>, term: Term, stretch: Stretch) -> Result<Vec<Posting>, NoAnswer> {
        match (self, file) {
            (Self::Memory(index), _) => Ok(index.postings(term, stretch)),
            (Self::File(index), Some(file)) => index.postings(file, term, stretch),
            _ => Err(NoAnswer::Damaged),
        }
    }

    /// A place at or before that of the record `offset`.
    pub(super) fn place(&self, file: Option<&File>, offset: Offset) -> Result<u64, NoAnswer> {
        match (self, file) {
            (Self::Memory(index), _) => Ok(index.place_before(|place| place.offset <= offset)),
            (Self::File(index), Some(file)) => index.place_before(file, |place| place.offset <= offset),
            _ => Err(NoAnswer::Damaged),
        }
    }

    /// A place at or before that of the first record of `time` or later.
    pub(super) fn place_at(&self, file: Option<&File>, time: Timestamp) -> Result<u64, NoAnswer> {
        match (self, file) {
            (Self::Memory(index), _) => Ok(index.place_before(|place| place.time < time)),
            (Self::File(index), Some(file)) => index.place_before(file, |place| place.time < time),
            _ => Err(NoAnswer::Damaged),
        }
    }

    /// The stretches of offsets between the records that no record has.
    pub(super) fn holes(&self, file: Option<&File>) -> Result<Vec<(Offset, Offset)>, NoAnswer> {
        match (self, file) {
            (Self::Memory(index), _) => Ok(index.holes().to_vec()),
            (Self::File(index), Some(file)) => index.holes(file),
            _ => Err(NoAnswer::Damaged),
        }
    }
}

/// The place of a record, one for each [`PLACE_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: Offset,
    pub(super) at: u64,
    pub(super) time: Timestamp,
}
