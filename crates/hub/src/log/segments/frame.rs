//! A frame: the records of one append, and a head before them, with their length and their offsets.
//!
//! | bytes | what, integers in little endian |
//! |---|---|
//! | 4 | [`MAGIC`] |
//! | 4 | length of the records |
//! | 8, 4 | first offset, number of offsets; a record has one, except that of a run of presence updates |
//! | 4 | unused |
//! | 8 | the oldest offset that the log held: all older entries were discarded |
//! | 8 | XXH3 of the records, with the segment's seed |
//! | 8 | XXH3 of all fields before this one, with the same seed |
//!
//! The seed comes from the log's random number and the segment's first offset, so that a frame of another log or
//! segment is not accepted.
use super::{directory::MAX_OFFSET, file};
use crate::{log::record::Fields, position::Offset};
use std::{fs::File, io};
use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

/// The first bytes of every frame; the last of them is the format's version.
pub(super) const MAGIC: [u8; 4] = [0xff, 0xfa, b'F', 1];
/// The number of bytes of a frame's head.
pub(super) const HEAD_BYTES: usize = 48;
const HEAD_CHECKSUM_AT: usize = HEAD_BYTES - 8;
/// The number of bytes that are read at a time to check the records.
const READ_BYTES: usize = 64 << 10;

/// The head of a frame: the fields before its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The number of bytes of the records.
    pub(super) body_bytes: u32,
    /// The offset of the first record.
    pub(super) first: Offset,
    /// The number of offsets of the records.
    pub(super) count: u32,
    /// The oldest offset that the log held when the frame was written.
    pub(super) oldest: Offset,
    body_checksum: u64,
}

/// Begins a frame: clears `out`, and leaves room for the head. The caller then appends the records.
pub(super) fn begin(out: &mut Vec<u8>) {
    out.clear();
    out.resize(HEAD_BYTES, 0);
}

/// Ends a frame: writes the head for the records that follow it in `frame`.
///
/// # Panics
/// If the records have 4 GiB or more; the writer makes no batch that is so large.
pub(super) fn end(frame: &mut [u8], (first, count): (Offset, usize), oldest: Offset, seed: u64) {
    let (head, body) = frame.split_at_mut(HEAD_BYTES);
    let short = |count: usize| u32::try_from(count).expect("a frame has less than 4 GiB").to_le_bytes();
    head[..4].copy_from_slice(&MAGIC);
    head[4..8].copy_from_slice(&short(body.len()));
    head[8..16].copy_from_slice(&first.0.to_le_bytes());
    head[16..20].copy_from_slice(&short(count));
    head[24..32].copy_from_slice(&oldest.0.to_le_bytes());
    head[32..40].copy_from_slice(&xxh3_64_with_seed(body, seed).to_le_bytes());
    let checksum = xxh3_64_with_seed(&head[..HEAD_CHECKSUM_AT], seed);
    head[HEAD_CHECKSUM_AT..].copy_from_slice(&checksum.to_le_bytes());
}

impl Head {
    /// Reads the head of a frame at the beginning of `bytes`; `None` if it is incomplete, damaged, or from a segment
    /// with another seed.
    pub(super) fn read(bytes: &[u8], seed: u64) -> Option<Self> {
        let (head, checksum) = bytes.get(..HEAD_BYTES)?.split_at(HEAD_CHECKSUM_AT);
        let mut fields = Fields(head.strip_prefix(&MAGIC)?);
        if *checksum != xxh3_64_with_seed(head, seed).to_le_bytes() {
            return None;
        }
        let (body_bytes, first, count) = (fields.u32()?, Offset(fields.u64()?), fields.u32()?);
        fields.u32()?;
        let (oldest, body_checksum) = (Offset(fields.u64()?), fields.u64()?);
        if first > MAX_OFFSET || oldest > MAX_OFFSET {
            return None;
        }
        Some(Self { body_bytes, first, count, oldest, body_checksum })
    }

    /// True if the records after this head are unchanged since they were written. The head is at position `at` of
    /// `file`.
    pub(super) fn has_body_in(&self, file: &File, at: u64, seed: u64) -> io::Result<bool> {
        let (mut hash, mut from) = (Xxh3::with_seed(seed), at + HEAD_BYTES as u64);
        let mut buffer = vec![0; READ_BYTES.min(self.body_bytes as usize)];
        let mut rest = self.body_bytes as usize;
        while rest > 0 {
            let wanted = rest.min(buffer.len());
            if file::read_at(file, &mut buffer[..wanted], from)? < wanted {
                return Ok(false);
            }
            hash.update(&buffer[..wanted]);
            (from, rest) = (from + wanted as u64, rest - wanted);
        }
        Ok(hash.digest() == self.body_checksum)
    }

    /// The number of bytes of the frame, including the head.
    pub(super) fn frame_bytes(&self) -> u64 {
        HEAD_BYTES as u64 + u64::from(self.body_bytes)
    }

    /// Returns the last offset of the frame.
    pub(super) fn last(&self) -> Offset {
        Offset((self.first.0 + u64::from(self.count)).saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_whole_or_no_frame() {
        let mut frame = Vec::new();
        begin(&mut frame);
        frame.extend_from_slice(b"records");
        end(&mut frame, (Offset(5), 3), Offset(2), 9);
        let head = Head::read(&frame, 9).unwrap();
        assert_eq!((head.first, head.last(), head.oldest), (Offset(5), Offset(7), Offset(2)));
        assert_eq!(head.frame_bytes(), frame.len() as u64);
        assert_eq!(Head::read(&frame, 8), None, "the frame is from another segment");
        for (place, is_whole) in [(0, true), (HEAD_BYTES, false), (frame.len() - 1, false)] {
            let mut file = tempfile::tempfile().unwrap();
            let mut bytes = frame.clone();
            bytes[place] ^= 1;
            io::Write::write_all(&mut file, &bytes).unwrap();
            assert_eq!(head.has_body_in(&file, 0, 9).unwrap(), is_whole, "byte {place}");
            assert!(!head.has_body_in(&file, 1, 9).unwrap(), "the frame is cut off");
        }
        for place in 0..HEAD_BYTES {
            let mut damaged = frame.clone();
            damaged[place] ^= 1;
            assert_eq!(Head::read(&damaged, 9), None, "byte {place}");
            assert_eq!(Head::read(&frame[..place], 9), None, "cut at {place}");
        }
    }
}
