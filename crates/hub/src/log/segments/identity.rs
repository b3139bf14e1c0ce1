//! The identity of a log: a random number that is made once, and from which the seeds of all checksums of the log are
//! computed.
use super::{
    directory::Directory,
    head::{LogId, SegmentHead},
};
use crate::{log::record::Fields, position::Epoch};
use std::{
    hash::{BuildHasher as _, RandomState},
    io,
};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The name of the file with the identity.
pub(super) const NAME: &str = "log";
const MAGIC: [u8; 4] = [0xff, 0xfa, b'L', 1];

/// Reads the identity of a log. If its file is missing, damaged or from another log, the identity is taken from the
/// heads of the segments. Nothing is repaired.
pub(super) fn read<'a>(
    directory: &Directory,
    heads: impl Iterator<Item = &'a SegmentHead>,
) -> io::Result<Option<LogId>> {
    let known = directory.read(&directory.join(NAME))?.and_then(|bytes| decode(&bytes));
    let heads: Vec<LogId> = heads.map(|head| head.log).collect();
    Ok(known.filter(|log| heads.is_empty() || heads.contains(log)).or(heads.last().copied()))
}

/// Makes an identity for a log that has none.
pub(super) fn create(directory: &Directory) -> io::Result<LogId> {
    // A `RandomState` has random keys from the operating system, so its hash of any value is a random number.
    let random = || RandomState::new().hash_one(0).to_le_bytes();
    let mut log = [0; 16];
    log[..8].copy_from_slice(&random());
    log[8..].copy_from_slice(&random());
    let checksum = xxh3_64(&log).to_le_bytes();
    directory.replace(&directory.join(NAME), &[&MAGIC[..], &log, &checksum].concat())?;
    Ok(log)
}

pub(super) fn decode(bytes: &[u8]) -> Option<LogId> {
    let mut fields = Fields(bytes.strip_prefix(&MAGIC)?);
    let log: LogId = *fields.take(16)?.first_chunk()?;
    (fields.u64()? == xxh3_64(&log) && fields.0.is_empty()).then_some(log)
}

/// Returns the epoch of a log to which nothing was appended yet. The result is the same at each start of the hub.
pub(super) fn base_epoch(log: &LogId) -> Epoch {
    Epoch::from_bits(xxh3_64_with_seed(log, 1))
}

/// Returns the epoch that begins at `offset`, if an unknown number of updates is missing from this offset on. The log
/// does not give this offset to another update. The previous epoch ends before it, so the ID of a missing update is
/// beyond the end of its epoch, and a subscriber that sends this ID is told of a gap. The result is the same at each
/// start of the hub.
pub(super) fn lost_epoch(log: &LogId, offset: u64) -> Epoch {
    Epoch::from_bits(xxh3_64_with_seed(log, offset.rotate_left(32) ^ 2))
}
