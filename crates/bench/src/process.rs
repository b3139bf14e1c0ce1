//! A hub under test: a child process, what it costs, and its end.
use crate::process_tree::{self, Stat};
use std::{
    io,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

/// A running hub. It is killed when this is dropped.
#[derive(Debug)]
pub struct HubProcess {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// Kept open, so that the hub can go on printing.
    _output: BufReader<ChildStdout>,
}

impl HubProcess {
    /// Starts `binary serve` on a free port of loopback with these arguments besides, and waits until it listens.
    ///
    /// # Errors
    /// If it cannot be started or ends before it says where it listens.
    pub fn start(binary: &Path, arguments: &[&str]) -> io::Result<Self> {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--clock", "false"]).args(arguments);
        Self::launch(command)
    }

    /// Starts anything that prints `http://ADDRESS` once it listens there, and waits for that.
    ///
    /// # Errors
    /// If it cannot be started or ends before it says where it listens.
    pub fn launch(mut command: Command) -> io::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
        let mut output = BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?);
        let listens = output.by_ref().lines().map_while(Result::ok).find_map(|line| address_in(&line));
        let address = listens.ok_or_else(|| io::Error::other("the hub ended before it listened"))?;
        Ok(Self { child, address, _output: output })
    }

    /// The CPU time that the process and its descendants have used, in user and system mode.
    ///
    /// # Errors
    /// If the process is gone.
    pub fn cpu(&self) -> io::Result<Duration> {
        Ok(process_tree::tree(self.child.id())?.iter().map(Stat::cpu).sum())
    }

    /// The memory of the process and its descendants in bytes: the proportional set size, in which shared pages count by
    /// their share.
    ///
    /// # Errors
    /// If the process is gone.
    pub fn pss(&self) -> io::Result<u64> {
        process_tree::tree(self.child.id())?.iter().map(|stat| process_tree::pss(stat.process)).sum()
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The address in a line that holds `http://ADDRESS`.
fn address_in(line: &str) -> Option<SocketAddr> {
    let rest = line.split_once("http://")?.1;
    let end = rest.find(|character: char| !matches!(character, '0'..='9' | '.' | ':')).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_from_what_the_hub_prints() {
        let address = address_in("Fanfare listens on http://127.0.0.1:4711/ (open)");
        assert_eq!(address, Some("127.0.0.1:4711".parse().unwrap()));
        assert_eq!(address_in("see http://example.com"), None);
    }
}
