//! The greatest number of subscribers that the process's limit on open files allows. Each subscriber takes one open
//! file. Some files are left to publishers, to probes of the hub's health, and to the log, so that the hub still works
//! when all subscribers are there.
//!
//! Connections that wait for their next request are not counted. If there are more of them than files that are left to
//! others, the hub accepts further connections only when some of them have ended.
use rustix::process::{Resource, getrlimit};
use std::fs;

/// The number of files that subscribers leave to others, beside those that are open when the server starts. If fewer
/// than twice as many files are left at that time, subscribers leave half of them.
pub const OTHER_FILES: u64 = 256;

/// The directories that list the open files of this process. The first one that exists is used: not each system has
/// both.
const LISTS: [&str; 2] = ["/proc/self/fd", "/dev/fd"];

/// Returns the greatest number of subscribers of a process that may open `limit` files and has opened `open` of them.
fn subscribers_within(limit: u64, open: u64) -> u64 {
    let left = limit.saturating_sub(open);
    left - OTHER_FILES.min(left / 2)
}

/// Returns the greatest number of subscribers of this process: `wanted`, or as many as its limit on open files allows.
/// Logs a warning if these are fewer. The server's threads must have been started, because each of them opens files.
pub(crate) fn subscribers(wanted: usize) -> usize {
    // The system may set no limit.
    let Some(limit) = getrlimit(Resource::Nofile).current else { return wanted };
    let most = usize::try_from(subscribers_within(limit, open_files())).unwrap_or(usize::MAX);
    if most < wanted {
        tracing::warn!(
            "only {limit} files may be open at a time, so there may be {most} subscribers instead of {wanted}: raise \
             the limit with ulimit -n"
        );
    }
    most.min(wanted)
}

/// Returns the number of files that this process has open, or 0 if the system does not say.
fn open_files() -> u64 {
    let list = LISTS.iter().find_map(|list| fs::read_dir(list).ok());
    list.map_or(0, |files| files.count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_are_left_to_others() {
        for (limit, open, subscribers) in [
            (0, 0, 0),
            (1, 0, 1),
            (2, 0, 1),
            (100, 0, 50),
            (511, 0, 256),
            (512, 0, 256),
            (1_024, 0, 768),
            (1_024, 500, 268),
            (1_024, 1_000, 12),
            (1_024, 1_025, 0),
            (u64::MAX, 100, u64::MAX - 356),
        ] {
            assert_eq!(subscribers_within(limit, open), subscribers, "{limit}, {open} open");
        }
        assert_eq!(super::subscribers(3), 3);
    }

    #[test]
    fn files_that_are_open_are_counted() {
        let files: Vec<_> = (0..100).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        assert!(open_files() >= files.len() as u64);
    }
}
