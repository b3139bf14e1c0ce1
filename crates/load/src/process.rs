//! A hub under test: a child process that can be measured and ended.
use crate::meter::Meter;
use std::{
    env, io,
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The longest time that a server may take to listen, if it does not print the address where it listens.
const START: Duration = Duration::from_secs(10);

/// A running hub. The process is ended when this value is dropped.
#[derive(Debug)]
pub struct HubProcess {
    child: Child,
    /// The address where the hub listens.
    pub address: SocketAddr,
    /// The hub's output, which is kept open so that the hub can continue to print.
    _output: Option<BufReader<ChildStdout>>,
    /// The pipe to the hub's standard input. It is kept open, because a hub that is tied to this process ends when the
    /// pipe is closed.
    _tie: Option<ChildStdin>,
    /// The command that ends the hub together with its child processes. Without a command the hub is killed.
    stop: Option<Command>,
}

impl HubProcess {
    /// Starts `binary serve` on a free port of loopback with these additional arguments, and waits until the hub
    /// listens.
    ///
    /// # Errors
    /// If the hub cannot be started, or ends before it prints the address where it listens.
    pub fn start(binary: &Path, arguments: &[&str]) -> io::Result<Self> {
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--clock", "false"]).args(arguments);
        Self::launch(command)
    }

    /// Starts a hub as [`start`](Self::start) does, with the option `--tied`, which `binary` must know: when this
    /// process ends in any way, the hub ends too, because its standard input is a pipe that is then closed. Environment
    /// variables that would configure the hub are removed.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn start_tied(binary: &Path, arguments: &[&str]) -> io::Result<Self> {
        let mut command = Command::new(binary);
        command.args(["serve", "--tied", "--listen", "127.0.0.1:0", "--clock", "false"]).args(arguments);
        for (name, _) in env::vars_os().filter(|(name, _)| is_of_a_hub(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        Self::launch_with(command, Stdio::piped())
    }

    /// Starts any program that prints `http://ADDRESS` when it listens there, and waits until it has printed the
    /// address.
    ///
    /// # Errors
    /// If the program cannot be started, or ends before it prints the address where it listens.
    pub fn launch(command: Command) -> io::Result<Self> {
        Self::launch_with(command, Stdio::null())
    }

    fn launch_with(mut command: Command, input: Stdio) -> io::Result<Self> {
        let mut child = spawn(command.stdin(input).stdout(Stdio::piped()))?;
        let tie = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?);
        let listens = output.by_ref().lines().map_while(Result::ok).find_map(|line| address_in(&line));
        let address = listens.ok_or_else(|| io::Error::other("the hub ended before it listened"))?;
        Ok(Self { child, address, _output: Some(output), _tie: tie, stop: None })
    }

    /// Starts a server that is configured to listen on `address`, and waits until it listens there. The command `stop`,
    /// if there is one, ends the server.
    ///
    /// # Errors
    /// If the server cannot be started, ends, or does not listen within ten seconds.
    pub fn supervise(mut command: Command, address: SocketAddr, stop: Option<Command>) -> io::Result<Self> {
        let child = spawn(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
        let mut server = Self { child, address, _output: None, _tie: None, stop };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            if server.child.try_wait()?.is_some() || begun.elapsed() > START {
                return Err(io::Error::other(format!("{:?} does not listen on {address}", command.get_program())));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Returns the meter of the hub's costs.
    #[must_use]
    pub fn meter(&self) -> Meter {
        Meter { process: self.child.id() }
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        let stopped = self.stop.as_mut().is_some_and(|stop| stop.status().is_ok_and(|status| status.success()));
        if !stopped {
            // `kill` fails if the process has already ended, which is not an error here.
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

fn spawn(command: &mut Command) -> io::Result<Child> {
    let started = command.stderr(Stdio::inherit()).spawn();
    let name = |error: io::Error| io::Error::new(error.kind(), format!("{:?}: {error}", command.get_program()));
    started.map_err(name)
}

/// Returns true if a hub reads this environment variable: a variable of Fanfare, or one of another hub that Fanfare
/// also understands.
fn is_of_a_hub(name: &str) -> bool {
    name.starts_with("FANFARE_") || name.starts_with("MERCURE_") || name.ends_with("JWT_KEY")
}

/// Returns the address in a line that contains `http://ADDRESS`.
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
