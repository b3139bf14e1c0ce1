//! The mark of a clean end: a file that records where the log ended, so that a loss at the end is noticed at the next
//! start. The first append of the next process removes this file.
//!
//! | bytes | what, integers in little endian |
//! |---|---|
//! | 4, 8 | [`MAGIC`]; XXH3 of all bytes after this field |
//! | 16 | the random number of the log |
//! | 8, 8, 8 | first offset of the last segment; newest offset of the log; its oldest offset |
//! | 4, then 16 each | the epochs |
use super::{
    directory::{Directory, MAX_OFFSET},
    head::{LogId, encode_epochs, read_epochs},
};
use crate::{
    log::record::Fields,
    position::{Epoch, Offset},
};
use std::{fs, io};
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 4] = [0xff, 0xfa, b'E', 1];

/// The end of a log, as the mark records it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EndMark {
    pub(super) log: LogId,
    /// The first offset of the last segment.
    pub(super) last_segment: Offset,
    pub(super) head: Offset,
    pub(super) oldest: Offset,
    pub(super) epochs: Vec<(Epoch, Offset)>,
}

impl EndMark {
    /// The name of the file that contains the mark.
    pub(super) const NAME: &str = "end";

    /// Reads the mark; `None` if there is no mark, or if it is damaged. Without a mark, the log is opened as one that
    /// has not ended cleanly.
    pub(super) fn read(directory: &Directory) -> io::Result<Option<Self>> {
        Ok(directory.read(&directory.join(Self::NAME))?.and_then(|bytes| Self::decode(&bytes)))
    }

    /// Writes the mark durably.
    pub(super) fn write(&self, directory: &Directory) -> io::Result<()> {
        directory.replace(&directory.join(Self::NAME), &self.encode()).map(drop)
    }

    /// Removes the mark if there is one. Returns true if it was removed; then the directory has to be synced.
    pub(super) fn remove(directory: &Directory) -> io::Result<bool> {
        let path = directory.join(Self::NAME);
        let is_there = path.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
        if is_there {
            fs::remove_file(path)?;
        }
        Ok(is_there)
    }

    fn encode(&self) -> Vec<u8> {
        let mut body = self.log.to_vec();
        for offset in [self.last_segment, self.head, self.oldest] {
            body.extend_from_slice(&offset.0.to_le_bytes());
        }
        encode_epochs(&self.epochs, &mut body);
        [&MAGIC[..], &xxh3_64(&body).to_le_bytes(), &body].concat()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes.strip_prefix(&MAGIC)?);
        let checksum = fields.u64()?;
        if checksum != xxh3_64(fields.0) {
            return None;
        }
        let log = *fields.take(16)?.first_chunk()?;
        let (last_segment, head, oldest) = (Offset(fields.u64()?), Offset(fields.u64()?), Offset(fields.u64()?));
        let epochs = read_epochs(&mut fields).filter(|epochs| !epochs.is_empty())?;
        let is_possible = head <= MAX_OFFSET && (Offset(1)..=head.next()).contains(&oldest);
        is_possible.then_some(Self { log, last_segment, head, oldest, epochs })
    }
}
