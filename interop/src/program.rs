//! A running program, the lines that it prints, and its end.
use crate::PATIENCE;
use std::{
    io::{self, BufRead as _, BufReader, Read, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

/// The interval between two checks that a server answers.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// A running program. It is killed, by its process ID, when this value is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Program {
    /// Starts a program and collects the lines that it prints on standard output.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let mut child = spawn(command.stdout(Stdio::piped()));
        let lines = lines(child.stdout.take().expect("it was piped"));
        Self { name: name(&command), child, lines }
    }

    /// Starts a program and collects the lines that it prints on standard output and on standard error.
    #[must_use]
    pub fn start_with_errors(mut command: Command) -> Self {
        let (reader, writer) = io::pipe().unwrap();
        let child = spawn(command.stdout(writer.try_clone().unwrap()).stderr(writer));
        let name = name(&command);
        // The command still holds the writing end of the pipe. While it is open, the output has no end.
        drop(command);
        Self { name, child, lines: lines(reader) }
    }

    /// Starts a server that prints `http://ADDRESS`, on standard output or standard error, once it listens there.
    /// Returns the server and this URL.
    #[must_use]
    pub fn serve(command: Command) -> (Self, String) {
        let server = Self::start_with_errors(command);
        loop {
            if let Some(url) = url_in(&server.line()) {
                return (server, url);
            }
        }
    }

    /// Waits until this program answers HTTP requests at `address`. The request is one that each server refuses itself,
    /// so that a server behind a proxy does not see it.
    ///
    /// # Panics
    /// If the program ends, or does not answer in time.
    pub fn wait_until_it_answers(&mut self, address: SocketAddr) {
        let begun = Instant::now();
        while !answers(address) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{} has ended: {ended:?}", self.name);
            assert!(begun.elapsed() < PATIENCE, "{} does not answer at {address}", self.name);
            thread::sleep(LOOK_INTERVAL);
        }
    }

    /// Returns the next line.
    ///
    /// # Panics
    /// If no line comes in time, or the program has ended.
    pub fn line(&self) -> String {
        self.line_or_end().unwrap_or_else(|| panic!("{} has ended", self.name))
    }

    /// Returns the next line; `None` if the program has ended.
    ///
    /// # Panics
    /// If neither a line nor the end comes in time.
    pub fn line_or_end(&self) -> Option<String> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("{} prints nothing more", self.name),
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns true if an HTTP server answers at `address`.
fn answers(address: SocketAddr) -> bool {
    let ask = || {
        let mut socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.write_all(b"no request\r\n\r\n")?;
        let mut answer = [0; 5];
        socket.read_exact(&mut answer)?;
        io::Result::Ok(answer)
    };
    ask().is_ok_and(|answer| answer == *b"HTTP/")
}

fn spawn(command: &mut Command) -> Child {
    let child = command.stdin(Stdio::null()).spawn();
    child.unwrap_or_else(|error| panic!("{}: {error}; cargo xtask test --only interop installs it", name(command)))
}

fn name(command: &Command) -> String {
    format!("{command:?}")
}

/// Collects lines up to the end of the output, so that the program never waits for room in the pipe.
fn lines(output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            // The receiver may be gone already.
            let _ = sender.send(line);
        }
    });
    receiver
}

/// Returns the first `http://ADDRESS` in a line.
fn url_in(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://")?;
    let end = rest.find(|character: char| !matches!(character, '0'..='9' | '.' | ':')).unwrap_or(rest.len());
    rest[..end].contains(':').then(|| format!("http://{}", &rest[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_servers_print() {
        let cases = [
            ("http://127.0.0.1:80", Some("http://127.0.0.1:80")),
            ("PHP Development Server (http://127.0.0.1:8000) started", Some("http://127.0.0.1:8000")),
            ("INFO: Uvicorn running on http://127.0.0.1:1 (Press CTRL+C to quit)", Some("http://127.0.0.1:1")),
            ("see http://example.com/", None),
            ("Started server process [1]", None),
        ];
        for (line, url) in cases {
            assert_eq!(url_in(line).as_deref(), url, "{line}");
        }
    }
}
