//! A process and its descendants, read from `/proc` of Linux
//! ([proc(5)](https://man7.org/linux/man-pages/man5/proc.5.html)). So a hub with worker processes is measured as a
//! whole.
use std::{collections::HashSet, fs, io, path::Path, thread, time::Duration};

/// The number of ticks in a second. Linux counts CPU time in ticks (`USER_HZ`, which is the same on every architecture
/// today).
const TICKS_PER_SECOND: u64 = 100;

/// The facts about a process that are read from `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// The ID of the process.
    pub process: u32,
    parent: u32,
    ticks: u64,
}

impl Stat {
    /// Returns the CPU time in user and system mode, including the CPU time of children that have ended. The resolution
    /// is 10 ms.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        Duration::from_millis(self.ticks * 1_000 / TICKS_PER_SECOND)
    }

    fn parse(line: &str) -> Option<Self> {
        // The second field is the program's name in parentheses, which may hold any characters. The fields after the
        // name are separated by spaces.
        let (process, rest) = (line.split_once(' ')?.0.parse().ok()?, line.rsplit_once(')')?.1);
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks = fields.get(11..15)?.iter().map(|field| field.parse::<u64>().ok()).sum::<Option<u64>>()?;
        Some(Self { process, parent: fields.get(1)?.parse().ok()?, ticks })
    }
}

/// Returns the process `root` and all its descendants.
///
/// # Errors
/// If the process has ended.
pub fn tree(root: u32) -> io::Result<Vec<Stat>> {
    let names = fs::read_dir("/proc")?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let processes = names.filter(|name| name.starts_with(|first: char| first.is_ascii_digit()));
    // A process may end at any time; then its file is missing.
    let lines = processes.filter_map(|process| fs::read_to_string(format!("/proc/{process}/stat")).ok());
    let tree = descendants(root, lines.filter_map(|line| Stat::parse(&line)).collect());
    if tree.is_empty() { Err(io::Error::new(io::ErrorKind::NotFound, "the process has ended")) } else { Ok(tree) }
}

/// Returns the processes of `all` that are `root` or its descendants.
fn descendants(root: u32, mut all: Vec<Stat>) -> Vec<Stat> {
    let mut inside = HashSet::from([root]);
    // A child may come before its parent in the list, so the list is searched again until a search adds no process.
    let mut before = 0;
    while inside.len() > before {
        before = inside.len();
        for stat in &all {
            if inside.contains(&stat.parent) {
                inside.insert(stat.process);
            }
        }
    }
    all.retain(|stat| inside.contains(&stat.process));
    all
}

/// Returns the CPU time of this process, without its running child processes.
///
/// # Errors
/// If `/proc` cannot be read.
pub fn own_cpu() -> io::Result<Duration> {
    let line = fs::read_to_string("/proc/self/stat")?;
    Stat::parse(&line).map(|stat| stat.cpu()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// The error number that the system returns if a process or a thread ends while its information is read.
const ESRCH: i32 = 3;

/// Returns true if reading from `/proc` failed with `error` because the process or the thread has ended.
fn is_of_the_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(ESRCH)
}

/// Returns the CPU time of all threads of this process, with a resolution of nanoseconds. Threads that have ended do
/// not count. The call sleeps for a nanosecond or a little longer.
///
/// # Errors
/// If `/proc` cannot be read.
pub fn own_run_time() -> io::Result<Duration> {
    // While a thread runs, the system updates its CPU time only at the next tick, up to 10 ms later. Sleeping updates
    // it at once.
    thread::sleep(Duration::from_nanos(1));
    let mut total = Duration::ZERO;
    for thread in fs::read_dir("/proc/self/task")? {
        match run_time(&thread?.path()) {
            // The thread has ended in the meantime.
            Err(error) if is_of_the_gone(&error) => {}
            time => total += time?,
        }
    }
    Ok(total)
}

/// Reads the CPU time of the thread whose directory in `/proc` is `thread`.
fn run_time(thread: &Path) -> io::Result<Duration> {
    // The fields are the time on a CPU, the time of waiting for a CPU, and the number of times that the thread ran.
    let line = fs::read_to_string(thread.join("schedstat"))?;
    let run = line.split_whitespace().next().and_then(|field| field.parse().ok());
    Ok(Duration::from_nanos(run.ok_or(io::ErrorKind::InvalidData)?))
}

/// Returns true if reading about a process has failed with `error` because the process has ended. Such a process may
/// still be listed as a zombie, because its parent has not waited for it yet.
pub fn has_ended(process: u32, error: &io::Error) -> bool {
    is_of_the_gone(error) || is_gone(process)
}

/// Returns true if there is no such process, or if it has ended or is ending.
pub fn is_gone(process: u32) -> bool {
    /// The flag of a process that is ending. Its files belong to root already, and its state is still that of a process
    /// that runs: `PF_EXITING` in the kernel.
    const EXITING: u32 = 0x4;
    // The fields after the name of the program: the state comes first, and the flags come sixth after it.
    let is_ending = |line: String| {
        let mut fields = line.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ');
        let state = fields.next();
        let flags: u32 = fields.nth(5).and_then(|flags| flags.parse().ok()).unwrap_or_default();
        matches!(state, Some("Z" | "X")) || flags & EXITING != 0
    };
    fs::read_to_string(format!("/proc/{process}/stat")).map_or(true, is_ending)
}

/// Returns the proportional set size of one process, in bytes.
///
/// # Errors
/// If the process has ended, or belongs to another user.
pub fn pss(process: u32) -> io::Result<u64> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let kib = number_after("Pss:", &rollup).ok_or_else(|| io::Error::other("smaps_rollup has no line Pss"))?;
    Ok(kib * 1_024)
}

/// Returns the number of files that a process has open.
///
/// # Errors
/// If the process has ended, or belongs to another user.
pub fn open_files(process: u32) -> io::Result<u64> {
    Ok(fs::read_dir(format!("/proc/{process}/fd"))?.count() as u64)
}

/// Returns the IDs of the processes that have an open file for which `is_meant` returns true. `is_meant` gets the text
/// that the file's link in `/proc` leads to. Processes whose files this user may not see are left out.
pub fn with_open_files(is_meant: &dyn Fn(&str) -> bool) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let has = |process: &u32| {
        let files = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        files.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|link| link.to_str().is_some_and(is_meant)))
    };
    processes.filter(has).collect()
}

/// Returns the number after `name`, from the first line of `text` that begins with `name`.
fn number_after(name: &str, text: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_line_is_read_whatever_the_name_holds() {
        let line = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 0 0 0 100 20 3 4 20 0 1 0 9 1 1\n";
        let stat = Stat { process: 42, parent: 7, ticks: 127 };
        assert_eq!(Stat::parse(line), Some(stat));
        assert_eq!(stat.cpu(), Duration::from_millis(1_270));
        assert_eq!(Stat::parse("42 (a) S 7"), None);
    }

    #[test]
    fn a_tree_holds_all_generations_and_nobody_else() {
        let all = [(5, 4), (4, 2), (2, 1), (3, 1), (1, 0)].map(|(process, parent)| Stat { process, parent, ticks: 0 });
        let processes = |root| descendants(root, all.to_vec()).iter().map(|stat| stat.process).collect::<Vec<_>>();
        assert_eq!((processes(2), processes(3), processes(9)), (vec![5, 4, 2], vec![3], vec![]));
    }

    #[test]
    fn running_takes_time() {
        // Only this thread is measured: threads of other tests end in the meantime, and then their time no longer
        // counts.
        let before = run_time(Path::new("/proc/thread-self")).unwrap();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(5) {}
        let all = own_run_time().unwrap();
        assert!(all > before && all < before + Duration::from_secs(3_600), "{before:?} {all:?}");
    }

    #[test]
    fn numbers_are_read_from_behind_their_names() {
        assert_eq!(number_after("Pss:", "Rss:  9 kB\nPss:  12 kB\nPss_Dirty: 3 kB\n"), Some(12));
        assert_eq!(number_after("Pss:", "Pss: some kB"), None);
    }
}
