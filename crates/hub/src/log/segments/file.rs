//! Reads files of the log so that a bad sector of the disk only loses the bytes in this sector.
use std::{fs::File, io, os::unix::fs::FileExt as _};

/// The number of bytes that are read at a time after a larger read has failed.
const SECTOR_BYTES: usize = 4 << 10;

/// Reads bytes from position `at` on, until `into` is full or the file ends, and returns their number. Bytes that
/// cannot be read, even at a second attempt, are set to zero.
pub(super) fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    match fill(file, into, at).or_else(|error| if is_damage(&error) { fill(file, into, at) } else { Err(error) }) {
        Err(error) if is_damage(&error) => read_sectors(file, into, at),
        read => read,
    }
}

/// True if the error says that the device could not read some of the stored data. Any other error concerns the whole
/// file, and not single sectors of it.
fn is_damage(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    error.raw_os_error() == Some(EIO)
}

fn read_sectors(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < into.len() {
        let from = at + read as u64;
        let rest = SECTOR_BYTES - usize::try_from(from % SECTOR_BYTES as u64).unwrap_or(0);
        let end = into.len().min(read + rest);
        let sector = &mut into[read..end];
        match fill(file, sector, from) {
            Ok(count) if count < sector.len() => return Ok(read + count),
            Ok(_) => {}
            Err(error) if is_damage(&error) => {
                tracing::error!(at = from, "a sector of the log cannot be read: the data in it is lost");
                sector.fill(0);
            }
            Err(error) => return Err(error),
        }
        read = end;
    }
    Ok(read)
}

fn fill(file: &File, mut into: &mut [u8], mut at: u64) -> io::Result<usize> {
    #[cfg(test)]
    tests::fail_if_told(at, into.len())?;
    let mut read = 0;
    while !into.is_empty() {
        match file.read_at(into, at) {
            Ok(0) => break,
            Ok(count) => {
                (read, at) = (read + count, at + count as u64);
                into = &mut into[count..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::{cell::RefCell, ops::Range};

    thread_local! {
        /// The bytes that cannot be read, and the number of reads that fail.
        static BAD: RefCell<(Range<u64>, usize)> = const { RefCell::new((0..0, 0)) };
    }

    /// Makes the next `times` reads of `bytes` by this thread fail like those of a bad sector.
    pub(in crate::log::segments) fn break_sector(bytes: Range<u64>, times: usize) {
        BAD.set((bytes, times));
    }

    pub(super) fn fail_if_told(at: u64, length: usize) -> io::Result<()> {
        BAD.with_borrow_mut(|(bad, times)| {
            if *times == 0 || bad.end <= at || at + length as u64 <= bad.start {
                return Ok(());
            }
            *times -= 1;
            Err(io::Error::from_raw_os_error(5))
        })
    }

    #[test]
    fn a_bad_sector_is_tried_again_and_then_costs_itself() {
        use std::io::Write as _;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'x'; 20_000]).unwrap();
        let mut buffer = vec![0; 30_000];
        break_sector(5_000..5_001, 1);
        assert_eq!(read_at(&file, &mut buffer, 0).unwrap(), 20_000);
        assert!(buffer[..20_000].iter().all(|byte| *byte == b'x'), "once is no damage");
        break_sector(5_000..5_001, usize::MAX);
        assert_eq!(read_at(&file, &mut buffer, 100).unwrap(), 19_900);
        let lost: Vec<_> = (0..19_900).filter(|place| buffer[*place] != b'x').collect();
        assert_eq!((lost.len(), lost[0]), (4_096, 4_096 - 100));
        break_sector(0..0, 0);
    }
}
