//! The index of a segment: the positions of its records, by offset, by time, and by term (the hash of a topic or of an
//! ID). It is in memory while the segment is active, and later in a file beside the segment. An index can always be
//! made again by a scan of its segment.
use super::{index_file::IndexFile, index_memory::IndexMemory};
use crate::{entry::Timestamp, log::terms::Term, position::Offset};
use std::{
    fs::File,
    io,
    ops::{AddAssign, SubAssign},
};

/// The number of bytes of a segment for which the index has one [`Place`].
pub(super) const PLACE_BYTES: u64 = 4 << 10;

/// The summary of a segment: facts about the whole segment, with which its index file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary {
    /// The position in the file after the last frame.
    pub(super) log_bytes: u64,
    /// The offset of the last record plus one; the first offset of the segment if there is no record.
    pub(super) end: Offset,
    /// The time of the first record of the segment. `last_time` is the time of its last record.
    pub(super) first_time: Timestamp,
    pub(super) last_time: Timestamp,
    /// The number of bytes of all records, except those of presence updates.
    pub(super) record_bytes: u64,
    /// The number of offsets that belong to presence updates.
    pub(super) presence: u64,
    /// The number of offsets before the last record that have no record.
    pub(super) missing: u64,
    /// The first time at which the time to live of an update in the segment is over.
    pub(super) next_expiry: Timestamp,
    /// The oldest offset that the log held when the last frame was written.
    pub(super) oldest: Offset,
}

/// The amounts of some records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    /// The number of records, except those of presence updates.
    pub(super) entries: u64,
    /// The number of offsets that belong to presence updates.
    pub(super) presence: u64,
    /// The number of bytes of the records, except those of presence updates.
    pub(super) bytes: u64,
}

impl Summary {
    /// Returns the amounts of the records of the segment that begins with `first`.
    pub(super) fn amounts(&self, first: Offset) -> Amounts {
        let Self { end, presence, missing, record_bytes: bytes, .. } = *self;
        let entries = end.0.saturating_sub(first.0).saturating_sub(presence).saturating_sub(missing);
        Amounts { entries, presence, bytes }
    }
}

impl AddAssign for Amounts {
    fn add_assign(&mut self, more: Self) {
        self.entries += more.entries;
        self.presence += more.presence;
        self.bytes += more.bytes;
    }
}

impl SubAssign for Amounts {
    /// Subtracts amounts. No result is less than 0, because the amounts of damaged records are not known.
    fn sub_assign(&mut self, less: Self) {
        self.entries = self.entries.saturating_sub(less.entries);
        self.presence = self.presence.saturating_sub(less.presence);
        self.bytes = self.bytes.saturating_sub(less.bytes);
    }
}

/// The offset of a record that has a certain topic or ID, and the position of the record in the segment's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Posting {
    pub(super) offset: Offset,
    pub(super) at: u64,
}

/// A range of offsets, including both ends, and the greatest number of postings to return from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) from: Offset,
    pub(super) until: Offset,
    pub(super) most: usize,
}

/// The index of a segment, in memory or in a file.
#[derive(Debug)]
pub(super) enum Index {
    Memory(IndexMemory),
    File(IndexFile),
    /// There is no index, because it could not be written, or because the log was opened only to read. Every record is
    /// found by a scan.
    Missing,
}

/// The reason why an index gives no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// There is no index, or it is damaged.
    Damaged,
    Io(io::Error),
}

impl From<io::Error> for NoAnswer {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Index {
    /// Returns the postings (the records) of a term in the range `stretch`, in order. `file` is the index file, if the
    /// index is in a file.
    pub(super) fn postings(&self, file: Option<&File>, term: Term, stretch: Stretch) -> Result<Vec<Posting>, NoAnswer> {
        match (self, file) {
            (Self::Memory(index), _) => Ok(index.postings(term, stretch)),
            (Self::File(index), Some(file)) => index.postings(file, term, stretch),
            _ => Err(NoAnswer::Damaged),
        }
    }

    /// Returns a position in the segment's file from which a scan finds the record with this offset: at this record, or
    /// before it.
    pub(super) fn place(&self, file: Option<&File>, offset: Offset) -> Result<u64, NoAnswer> {
        match (self, file) {
            (Self::Memory(index), _) => Ok(index.place_before(|place| place.offset <= offset)),
            (Self::File(index), Some(file)) => index.place_before(file, |place| place.offset <= offset),
            _ => Err(NoAnswer::Damaged),
        }
    }

    /// Returns a position in the segment's file from which a scan finds the first record of `time` or later: at this
    /// record, or before it.
    pub(super) fn place_at(&self, file: Option<&File>, time: Timestamp) -> Result<u64, NoAnswer> {
        match (self, file) {
            (Self::Memory(index), _) => Ok(index.place_before(|place| place.time < time)),
            (Self::File(index), Some(file)) => index.place_before(file, |place| place.time < time),
            _ => Err(NoAnswer::Damaged),
        }
    }

    /// Returns the ranges of offsets, from the first offset of the segment to the last record, that have no record.
    pub(super) fn holes(&self, file: Option<&File>) -> Result<Vec<(Offset, Offset)>, NoAnswer> {
        match (self, file) {
            (Self::Memory(index), _) => Ok(index.holes().to_vec()),
            (Self::File(index), Some(file)) => index.holes(file),
            _ => Err(NoAnswer::Damaged),
        }
    }
}

/// The offset, file position and time of a record. The index has one place for each [`PLACE_BYTES`] bytes of the file,
/// so that a reader finds any record with a short scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: Offset,
    pub(super) at: u64,
    pub(super) time: Timestamp,
}
