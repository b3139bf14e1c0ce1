//! A hub as its own process, with a data directory that outlives it.
use crate::stopping::terminate;
use fanfare_load::port;
use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

struct Process {
    child: Child,
    /// Kept open, so that the hub can go on printing.
    _output: ChildStdout,
}

/// A hub process. Its data directory goes with it.
pub struct Hub {
    process: Process,
    pub address: SocketAddr,
    data: PathBuf,
    arguments: Vec<String>,
}

impl Hub {
    /// Starts a hub with an empty log on a free port.
    pub fn start(arguments: &[&str]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("fanfare-faults-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let data = std::env::temp_dir().join(name);
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let (process, address) = spawn(port::reserve().unwrap(), &data, &arguments);
        Self { process, address, data, arguments }
    }

    /// Ends the process with SIGKILL, wherever it is.
    pub fn kill(&mut self) {
        self.process.child.kill().unwrap();
        self.process.child.wait().unwrap();
    }

    /// Ends the process with SIGTERM, and says how it ended and how long that took.
    pub fn terminate(mut self, in_time: Duration) -> (Option<i32>, Duration) {
        terminate(&mut self.process.child, in_time)
    }

    /// Ends the process with SIGTERM. Returns true if the log has the mark that it was closed.
    pub fn stop(&mut self) -> bool {
        terminate(&mut self.process.child, Duration::from_secs(20));
        self.data.join("end").exists()
    }

    /// Waits until the process has ended by itself. Returns its exit code; `None` if it has not ended in time, or was
    /// killed.
    pub fn ended(&mut self, in_time: Duration) -> Option<i32> {
        let begun = Instant::now();
        loop {
            match self.process.child.try_wait().unwrap() {
                Some(status) => return status.code(),
                None if begun.elapsed() > in_time => return None,
                None => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// The directory of the log.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Sets the greatest size of a file that the process may write, in bytes; `None` for no limit.
    #[cfg(target_os = "linux")]
    pub fn limit_files(&self, bytes: Option<u64>) {
        let (pid, soft) = (self.process.child.id().try_into().unwrap(), bytes.unwrap_or(rlimit::INFINITY));
        rlimit::prlimit(pid, rlimit::Resource::FSIZE, Some((soft, rlimit::INFINITY)), None).unwrap();
    }

    /// Starts it again, after [`Self::kill`] or [`Self::stop`], with the same port and data.
    pub fn restart(&mut self) {
        let (process, address) = spawn(self.address, &self.data, &self.arguments);
        assert_eq!(address, self.address);
        self.process = process;
    }

    /// The memory of the process in KiB: its proportional set size.
    pub fn pss_kib(&self) -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.process.child.id())).unwrap();
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    }
}

fn spawn(listen: SocketAddr, data: &PathBuf, arguments: &[String]) -> (Process, SocketAddr) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanfare"));
    command.args(["serve", "--listen", &listen.to_string(), "--clock", "false", "--log-level", "warn", "--data"]);
    let mut child = command.arg(data).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let address = address(&mut output);
    (Process { child, _output: output }, address)
}

/// Reads where a hub says that it listens.
pub fn address(output: &mut ChildStdout) -> SocketAddr {
    let listens = BufReader::new(output).lines().map_while(Result::ok).find_map(|line| {
        let rest = line.split_once("http://")?.1;
        let end = rest.find(|character: char| !matches!(character, '0'..='9' | '.' | ':')).unwrap_or(rest.len());
        rest[..end].parse().ok()
    });
    listens.expect("the hub says where it listens")
}

impl Drop for Hub {
    fn drop(&mut self) {
        // Already gone after a kill that no restart followed.
        drop(self.process.child.kill());
        drop(self.process.child.wait());
        drop(fs::remove_dir_all(&self.data));
    }
}
