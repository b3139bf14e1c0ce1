//! The greatest number of subscribers that the process's limit on open files allows. Each subscriber takes one open
//! file. Some files are left to publishers, to probes of the hub's health, and to the log, so that the hub still works
//! when all subscribers are there.
use rustix::process::{Resource, getrlimit};

/// The number of files that subscribers leave to others. If the process may open fewer than twice as many files,
/// subscribers leave half of them.
pub const OTHER_FILES: u64 = 256;

/// Returns the greatest number of subscribers of a process that may open `limit` files.
#[must_use]
pub fn subscribers_within(limit: u64) -> u64 {
    limit - OTHER_FILES.min(limit / 2)
}

/// Returns the greatest number of subscribers of this process: `wanted`, or as many as its limit on open files allows.
pub(crate) fn subscribers(wanted: usize) -> usize {
    // The system may set no limit.
    let Some(limit) = getrlimit(Resource::Nofile).current else { return wanted };
    usize::try_from(subscribers_within(limit)).map_or(wanted, |most| most.min(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_files_are_left_to_others() {
        for (limit, subscribers) in
            [(0, 0), (1, 1), (2, 1), (100, 50), (511, 256), (512, 256), (1_024, 768), (u64::MAX, u64::MAX - 256)]
        {
            assert_eq!(subscribers_within(limit), subscribers, "{limit}");
        }
        assert_eq!(super::subscribers(3), 3);
    }
}
