//! Finds the process that has a log open, in the list of all locks that Linux has. This module does not try to lock the
//! log's directory: if it did, a hub that starts at that moment would fail, because the log would be in use.
use super::directory::Directory;
use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    os::unix::fs::MetadataExt as _,
};

/// The list of all locks that processes of this machine, or of this container, hold.
const LOCKS: &str = "/proc/locks";

/// Returns the number (PID) of the process that writes in a directory; `None` if no process does, or if the system does
/// not say.
pub(super) fn holder(directory: &Directory) -> Option<u32> {
    let metadata = directory.metadata().ok()?;
    let file = device_and_number(metadata.dev(), metadata.ino());
    let lines = BufReader::new(File::open(LOCKS).ok()?).lines();
    lines.map_while(Result::ok).find_map(|line| process_with(&line, &file))
}

/// Returns the device number and the inode number of a file in the form that they have in the list of locks.
fn device_and_number(device: u64, number: u64) -> String {
    let major = (device >> 8) & 0xfff | (device >> 32) & 0xffff_f000;
    let minor = device & 0xff | (device >> 12) & 0xffff_ff00;
    format!("{major:02x}:{minor:02x}:{number}")
}

/// Returns the number (PID) of the process that holds the lock in a line of the list; `None` if the lock is on another
/// file. It is 1234 in the line `1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF`.
fn process_with(line: &str, file: &str) -> Option<u32> {
    let mut words = line.split_ascii_whitespace().skip(1);
    // In a line about a process that only waits for a lock, the first of these words is `->`, so the line is skipped.
    if words.next() != Some("FLOCK") || words.next() != Some("ADVISORY") || words.next() != Some("WRITE") {
        return None;
    }
    let process = words.next()?;
    if words.next() == Some(file) { process.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_found_by_its_lock() {
        let file = device_and_number(0xfe00, 77);
        assert_eq!(file, "fe:00:77");
        let cases = [
            ("1: FLOCK  ADVISORY  WRITE 1234 fe:00:77 0 EOF", Some(1_234)),
            ("1: POSIX  ADVISORY  WRITE 1234 fe:00:77 0 EOF", None),
            ("1: FLOCK  ADVISORY  READ  1234 fe:00:77 0 EOF", None),
            ("1: FLOCK  ADVISORY  WRITE 1234 fe:00:78 0 EOF", None),
            ("1: -> FLOCK  ADVISORY  WRITE 1234 fe:00:77 0 EOF", None),
            ("", None),
        ];
        for (line, process) in cases {
            assert_eq!(process_with(line, &file), process, "{line}");
        }
    }
}
