//! The head of a segment: the log that it belongs to, its first offset, and the epochs of the log up to the epoch of
//! the segment.
//!
//! | bytes | what, integers in little endian |
//! |---|---|
//! | 4 | [`MAGIC`] |
//! | 4 | length of the head |
//! | 8 | XXH3 of all bytes after this field |
//! | 16 | the random number of the log |
//! | 8, 4, 4 | first offset; number of times that the file was rewritten; number of the process run that began it |
//! | 4, then 16 each | number of epochs; name and first offset of each, oldest first |
use super::directory::MAX_OFFSET;
use crate::{
    log::record::Fields,
    position::{Epoch, Offset},
};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

const MAGIC: [u8; 4] = [0xff, 0xfa, b'S', 1];
const FIXED_BYTES: usize = 52;
const CHECKED_FROM: usize = 16;
/// The greatest number of epochs in the head of a segment. If the log has more, the head has the newest ones; older
/// epochs are in the heads of older segments.
const MAX_EPOCHS: usize = 256;
/// The largest number of bytes of a head.
pub(super) const MAX_BYTES: usize = FIXED_BYTES + 16 * MAX_EPOCHS;

/// The random number that identifies a log.
pub(super) type LogId = [u8; 16];

/// The head of a segment: the fields before its frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SegmentHead {
    pub(super) log: LogId,
    pub(super) first: Offset,
    /// The number of times that the segment was rewritten.
    pub(super) generation: u32,
    /// The number of the process run that began the segment. Each run that begins a segment has a higher number than
    /// the runs before it.
    pub(super) session: u32,
    /// The epochs of the log, oldest first. The last one is the epoch of the segment's records.
    pub(super) epochs: Vec<(Epoch, Offset)>,
}

impl SegmentHead {
    pub(super) fn encode(&self) -> Vec<u8> {
        let epochs = &self.epochs[self.epochs.len().saturating_sub(MAX_EPOCHS)..];
        let mut out = Vec::with_capacity(FIXED_BYTES + 16 * epochs.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[0; 12]);
        out.extend_from_slice(&self.log);
        out.extend_from_slice(&self.first.0.to_le_bytes());
        out.extend_from_slice(&self.generation.to_le_bytes());
        out.extend_from_slice(&self.session.to_le_bytes());
        encode_epochs(epochs, &mut out);
        let length = u32::try_from(out.len()).expect("a head has less than 4 GiB");
        out[4..8].copy_from_slice(&length.to_le_bytes());
        let checksum = xxh3_64(&out[CHECKED_FROM..]);
        out[8..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
        out
    }

    /// Reads the head at the beginning of `bytes`, and returns it with its length; `None` if it is incomplete or
    /// damaged.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut fields = Fields(bytes.strip_prefix(&MAGIC)?);
        let length = fields.u32()? as usize;
        let checked = bytes.get(CHECKED_FROM..length)?;
        if fields.u64()? != xxh3_64(checked) {
            return None;
        }
        let mut fields = Fields(checked);
        let log = *fields.take(16)?.first_chunk()?;
        let (first, generation, session) = (Offset(fields.u64()?), fields.u32()?, fields.u32()?);
        let epochs = read_epochs(&mut fields)?;
        Some((Self { log, first, generation, session, epochs }, length))
    }
}

/// Appends the number of epochs, and each of them.
pub(super) fn encode_epochs(epochs: &[(Epoch, Offset)], out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(epochs.len()).expect("a log has fewer than 2^32 epochs").to_le_bytes());
    for (epoch, first) in epochs {
        out.extend_from_slice(epoch.as_str().as_bytes());
        out.extend_from_slice(&first.0.to_le_bytes());
    }
}

/// Reads epochs in the form that [`encode_epochs`] writes.
pub(super) fn read_epochs(fields: &mut Fields<'_>) -> Option<Vec<(Epoch, Offset)>> {
    let count = fields.u32()?;
    let mut epoch = || Some((Epoch::parse(fields.text(Epoch::LEN)?)?, Offset(fields.u64()?)));
    (0..count).map(|_| epoch().filter(|(_, first)| (Offset(1)..=MAX_OFFSET).contains(first))).collect()
}

/// Returns the seed with which the terms in a log's indexes are hashed. A term is a topic or an ID.
pub(super) fn log_seed(log: &LogId) -> u64 {
    xxh3_64(log)
}

/// Returns the seed of the checksums of a segment's frames and records.
pub(super) fn segment_seed(log: &LogId, first: Offset) -> u64 {
    xxh3_64_with_seed(log, first.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_whole_or_none() {
        let epochs = (0..300).map(|number| (Epoch::from_bits(number), Offset(number + 1))).collect();
        let head = SegmentHead { log: [7; 16], first: Offset(400), generation: 2, session: 3, epochs };
        let bytes = head.encode();
        assert_eq!(bytes.len(), MAX_BYTES);
        let (read, length) = SegmentHead::read(&[&bytes[..], b"more"].concat()).unwrap();
        assert_eq!(length, bytes.len());
        assert_eq!(read, SegmentHead { epochs: head.epochs[44..].to_vec(), ..head });
        for place in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            assert_eq!(SegmentHead::read(&damaged), None, "byte {place}");
            assert_eq!(SegmentHead::read(&bytes[..place]), None, "cut at {place}");
        }
    }
}
