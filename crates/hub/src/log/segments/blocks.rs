//! Files that consist of blocks, each with a checksum. Any range of the file can be read by itself, and damage in the
//! blocks of this range is noticed.
use super::file;
use std::{fs::File, io, ops::Range};
use xxhash_rust::xxh3::xxh3_64_with_seed;

const BLOCK_BYTES: usize = 4 << 10;
const CHECKSUM_BYTES: usize = 8;
const PAYLOAD_BYTES: usize = BLOCK_BYTES - CHECKSUM_BYTES;

/// Returns the bytes of a file that contains `payload`, divided into blocks. A reader must use the same seed, which is
/// different for each kind of file and for each segment.
pub(super) fn encode(payload: &[u8], seed: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + payload.len() / PAYLOAD_BYTES * CHECKSUM_BYTES + BLOCK_BYTES);
    for (number, block) in payload.chunks(PAYLOAD_BYTES).enumerate() {
        out.extend_from_slice(block);
        out.extend_from_slice(&checksum(block, seed, number).to_le_bytes());
    }
    out
}

/// Returns the number of bytes of the payload of a file.
pub(super) fn payload_bytes(file: &File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let blocks = length.div_ceil(BLOCK_BYTES as u64);
    Ok(length.saturating_sub(blocks * CHECKSUM_BYTES as u64))
}

/// Reads the bytes `stretch` of the payload; `None` if one of their blocks is missing or damaged.
pub(super) fn read(file: &File, stretch: Range<usize>, seed: u64) -> io::Result<Option<Vec<u8>>> {
    let blocks = stretch.start / PAYLOAD_BYTES..stretch.end.div_ceil(PAYLOAD_BYTES);
    let mut bytes = vec![0; blocks.len() * BLOCK_BYTES];
    let read = file::read_at(file, &mut bytes, (blocks.start * BLOCK_BYTES) as u64)?;
    // The payloads of the blocks are moved to the beginning of the buffer into which the blocks were read. With a
    // second buffer as the target, a search took twice as long, probably because source and target were at nearly the
    // same place of their memory pages.
    let mut end = 0;
    for (number, begin) in blocks.clone().zip((0..read).step_by(BLOCK_BYTES)) {
        let block = &bytes[begin..read.min(begin + BLOCK_BYTES)];
        let Some((block, sum)) = block.split_last_chunk::<CHECKSUM_BYTES>() else { return Ok(None) };
        if *sum != checksum(block, seed, number).to_le_bytes() {
            return Ok(None);
        }
        let length = block.len();
        bytes.copy_within(begin..begin + length, end);
        end += length;
    }
    let begin = blocks.start * PAYLOAD_BYTES;
    if stretch.end - begin > end {
        return Ok(None);
    }
    bytes.truncate(stretch.end - begin);
    bytes.drain(..stretch.start - begin);
    Ok(Some(bytes))
}

/// Returns the payload of a file that contains the same blocks twice. The payload of each block comes from the copy
/// that is not damaged; `None` if both copies of a block are damaged.
pub(super) fn decode_either(bytes: &[u8], seed: u64) -> Option<Vec<u8>> {
    let half = bytes.len() / 2;
    let (one, other) = bytes.split_at(half);
    let (mut payload, mut others) = (Vec::with_capacity(half), other.chunks(BLOCK_BYTES));
    for (number, block) in one.chunks(BLOCK_BYTES).enumerate() {
        let whole = [Some(block), others.next()].into_iter().flatten().find_map(|block| {
            let (block, sum) = block.split_last_chunk::<CHECKSUM_BYTES>()?;
            (*sum == checksum(block, seed, number).to_le_bytes()).then_some(block)
        });
        payload.extend_from_slice(whole?);
    }
    Some(payload)
}

/// Calls `visit` for each block in the range `stretch` of a file; this range begins with the first block of a payload.
/// `visit` gets the byte position of the block, and the payload of the block if it is not damaged.
pub(super) fn visit(
    file: &File,
    stretch: Range<u64>,
    seed: u64,
    mut visit: impl FnMut(u64, Option<&[u8]>),
) -> io::Result<()> {
    let mut bytes = vec![0; BLOCK_BYTES];
    for number in 0.. {
        let at = stretch.start + (number * BLOCK_BYTES) as u64;
        if at >= stretch.end {
            break;
        }
        let length = usize::try_from(stretch.end - at).map_or(BLOCK_BYTES, |rest| rest.min(BLOCK_BYTES));
        let read = file::read_at(file, &mut bytes[..length], at)?;
        let block = bytes[..read].split_last_chunk::<CHECKSUM_BYTES>();
        visit(
            at,
            block.filter(|(block, sum)| **sum == checksum(block, seed, number).to_le_bytes()).map(|(block, _)| block),
        );
    }
    Ok(())
}

fn checksum(block: &[u8], seed: u64, number: usize) -> u64 {
    xxh3_64_with_seed(block, seed.wrapping_add(number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Write as _};

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn any_stretch_is_read_or_known_to_be_damaged() {
        let payload: Vec<u8> = (0..10_000_u32).map(|number| (number % 251) as u8).collect();
        let bytes = encode(&payload, 5);
        let file = file_of(&bytes);
        for stretch in [0..0, 0..1, 4_087..4_089, 4_088..8_176, 0..10_000, 9_999..10_000] {
            assert_eq!(read(&file, stretch.clone(), 5).unwrap().unwrap(), payload[stretch.clone()], "{stretch:?}");
            assert!(stretch.is_empty() || read(&file, stretch, 6).unwrap().is_none(), "it is another file's");
        }
        assert!(read(&file, 9_999..10_001, 5).unwrap().is_none(), "it ends before");
        for place in (0..bytes.len()).step_by(97) {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            let block = place / BLOCK_BYTES * PAYLOAD_BYTES;
            assert!(read(&file_of(&damaged), block..block + 1, 5).unwrap().is_none(), "byte {place}");
        }
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("short"), &bytes[..3]).unwrap();
        assert!(read(&File::open(dir.path().join("short")).unwrap(), 0..1, 5).unwrap().is_none());
    }
}
