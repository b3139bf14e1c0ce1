//! What a log is apart from its entries: which session it is in, where its head stands, which epochs it had.
#[cfg(doc)]
use crate::log::Epochs;
use crate::{
    log::disk::stored::Fields,
    position::{Epoch, Offset},
};
use xxhash_rust::xxh3::xxh3_64;

/// The first bytes of the block; the last of them is the format's version.
pub(super) const MAGIC: [u8; 4] = [0xff, 0xfa, 0x53, 1];
/// Magic number, length and checksum.
const HEAD_BYTES: usize = 16;

/// Written when the log is opened, and when its last entry is discarded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Superblock {
    /// Counts how often the log was opened.
    pub(super) session: u32,
    /// The last offset ever appended, if no entry says so any more.
    pub(super) head: Offset,
    /// The oldest offset held, or a smaller one: what is older was discarded.
    pub(super) oldest: Offset,
    /// The epochs that the log had, as in [`Epochs`]; none before it is opened for the first time.
    pub(super) epochs: Vec<(Epoch, Offset)>,
}

/// The length that the block at the beginning of `bytes` says it has; `None` if there is none.
pub(super) fn declared_len(bytes: &[u8]) -> Option<usize> {
    usize::try_from(Fields(bytes.strip_prefix(&MAGIC)?).u32()?).ok()
}

impl Superblock {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend_from_slice(&self.session.to_le_bytes());
        body.extend_from_slice(&self.head.0.to_le_bytes());
        body.extend_from_slice(&self.oldest.0.to_le_bytes());
        for (epoch, first) in &self.epochs {
            body.extend_from_slice(epoch.as_str().as_bytes());
            body.extend_from_slice(&first.0.to_le_bytes());
        }
        let length = u32::try_from(HEAD_BYTES + body.len()).expect("epochs are few");
        let mut block = Vec::with_capacity(HEAD_BYTES + body.len());
        block.extend_from_slice(&MAGIC);
        block.extend_from_slice(&length.to_le_bytes());
        block.extend_from_slice(&xxh3_64(&body).to_le_bytes());
        block.extend(body);
        block
    }

    /// Reads the block at the beginning of `bytes`; `None` unless it is whole.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes.get(8..declared_len(bytes)?)?);
        let checksum = fields.u64()?;
        let body = fields.0;
        if checksum != xxh3_64(body) {
            return None;
        }
        let mut fields = Fields(body);
        let (session, head, oldest) = (fields.u32()?, Offset(fields.u64()?), Offset(fields.u64()?));
        let mut epochs = Vec::new();
        while !fields.0.is_empty() {
            epochs.push((Epoch::parse(fields.text(Epoch::LEN)?)?, Offset(fields.u64()?)));
        }
        epochs.is_sorted_by_key(|(_, first)| *first).then_some(Self { session, head, oldest, epochs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_read_if_it_is_whole() {
        let epochs =
            vec![(Epoch::from_bits(1), Offset(1)), (Epoch::from_bits(2), Offset(1)), (Epoch::from_bits(3), Offset(9))];
        let block = Superblock { session: 3, head: Offset(12), oldest: Offset(1), epochs };
        let mut bytes = block.encode();
        let whole = bytes.len();
        bytes.extend([1, 2, 3]);
        assert_eq!(Superblock::read(&bytes), Some(block));
        for place in 0..whole {
            assert_eq!(Superblock::read(&bytes[..place]), None, "{place} bytes");
            bytes[place] ^= 0x10;
            assert_eq!(Superblock::read(&bytes), None, "byte {place}");
            bytes[place] ^= 0x10;
        }
    }

    #[test]
    fn epochs_in_no_order_are_no_block() {
        let epochs = vec![(Epoch::from_bits(1), Offset(2)), (Epoch::from_bits(2), Offset(1))];
        let block = Superblock { session: 3, head: Offset(12), oldest: Offset(1), epochs };
        assert_eq!(Superblock::read(&block.encode()), None);
    }
}
