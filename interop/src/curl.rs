//! curl as a subscriber.
use crate::{PATIENCE, subscriber::Received};
use fanfare_event_stream::{Chunk, Parser};
use std::{
    collections::VecDeque,
    io::Read as _,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// One response, read from the output of `curl --no-buffer` while it arrives.
#[derive(Debug)]
pub struct Transfer {
    child: Child,
    output: ChildStdout,
    /// The status line and the header fields, in lower case.
    pub head: String,
    parser: Parser,
    events: VecDeque<Received>,
}

impl Transfer {
    /// Requests `url` with this last event ID, unless the ID is empty. The head is empty if there is no answer.
    #[must_use]
    pub fn start(url: &str, last_event_id: &str) -> Self {
        let mut command = Command::new("curl");
        command.args(["--silent", "--no-buffer", "--include", "--header", "Accept: text/event-stream"]);
        command.arg("--max-time").arg(PATIENCE.as_secs().to_string());
        if !last_event_id.is_empty() {
            command.arg("--header").arg(format!("Last-Event-ID: {last_event_id}"));
        }
        let mut child = command.arg(url).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("curl starts");
        let output = child.stdout.take().expect("it was piped");
        let mut transfer = Self { child, output, head: String::new(), parser: Parser::new(), events: VecDeque::new() };
        transfer.read_head();
        transfer
    }

    fn read_head(&mut self) {
        let mut received = Vec::new();
        while let Some(bytes) = self.read() {
            received.extend_from_slice(&bytes);
            if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
                self.head = String::from_utf8_lossy(&received[..end + 2]).to_lowercase();
                return self.parse(&received[end + 4..]);
            }
        }
    }

    fn read(&mut self) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 1 << 16];
        let read = self.output.read(&mut bytes).unwrap();
        bytes.truncate(read);
        (read > 0).then_some(bytes)
    }

    fn parse(&mut self, bytes: &[u8]) {
        let mut chunk = Chunk::new(bytes);
        while let Some(event) = self.parser.next_event(&mut chunk).unwrap() {
            self.events.push_back(Received::from(event));
        }
    }

    /// Returns the reconnection time that the stream has set so far.
    #[must_use]
    pub fn reconnection_time(&self) -> Option<Duration> {
        self.parser.reconnection_time()
    }
}

impl Iterator for Transfer {
    type Item = Received;

    /// Returns the next event; `None` at the end of the response.
    fn next(&mut self) -> Option<Received> {
        while self.events.is_empty() {
            let bytes = self.read()?;
            self.parse(&bytes);
        }
        self.events.pop_front()
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A subscriber that starts curl again, with the last event ID, each time that curl ends.
#[derive(Debug)]
pub struct Resuming {
    url: String,
    last_event_id: String,
    transfer: Transfer,
}

impl Resuming {
    /// Starts the first request for `url`.
    #[must_use]
    pub fn start(url: &str) -> Self {
        Self { url: url.to_owned(), last_event_id: String::new(), transfer: Transfer::start(url, "") }
    }

    /// Returns the next event.
    ///
    /// # Panics
    /// If no event comes in time.
    pub fn event(&mut self) -> Received {
        let begun = Instant::now();
        loop {
            if let Some(event) = self.transfer.next() {
                self.last_event_id.clone_from(&event.id);
                return event;
            }
            assert!(begun.elapsed() < PATIENCE, "no event in time");
            thread::sleep(Duration::from_millis(50));
            self.transfer = Transfer::start(&self.url, &self.last_event_id);
        }
    }
}
