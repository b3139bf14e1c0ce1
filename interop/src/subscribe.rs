//! Runs of `fanfare subscribe`: the events that it prints, and its notices about connections.
use crate::{installed, program::Program, subscriber::Received};
use fanfare_event_stream::{Chunk, Parser};
use std::time::Duration;

/// The events and notices that one run of `fanfare subscribe` printed.
#[derive(Debug, Default)]
pub struct Printed {
    /// The printed events, in the requested format.
    pub events: String,
    /// The number of times that the program connected.
    pub connections: usize,
    /// The delay before the next attempt, once for each connection that ended, with a precision of 0.1 s.
    pub delays: Vec<Duration>,
    /// True if the program ended by itself.
    pub ended: bool,
}

/// Runs `fanfare subscribe` on `url` with `options` until it ends by itself or has lost its connection
/// `most_connections` times.
///
/// # Panics
/// If the program reports an error, or prints nothing more in time.
#[must_use]
pub fn subscribe(url: &str, options: &[&str], most_connections: usize) -> Printed {
    let mut command = installed::fanfare();
    command.args(["subscribe", url, "--verbose"]).args(options);
    let (program, mut printed) = (Program::start_with_errors(command), Printed::default());
    while printed.delays.len() < most_connections {
        match program.line_or_end() {
            Some(line) if line.starts_with("error: ") => panic!("{url}: {line}"),
            Some(line) => printed.line(&line),
            None => {
                printed.ended = true;
                break;
            }
        }
    }
    printed
}

impl Printed {
    fn line(&mut self, line: &str) {
        let Some(notice) = line.strip_prefix("fanfare: ") else {
            self.events += line;
            self.events += "\n";
            return;
        };
        if notice.starts_with("connected to ") {
            self.connections += 1;
        } else {
            self.delays.push(delay_in(notice).unwrap_or_else(|| panic!("{notice}")));
        }
    }
}

/// Returns the time in a notice such as `…; reconnecting in 1.5 s`.
fn delay_in(notice: &str) -> Option<Duration> {
    let (_, rest) = notice.split_once("; reconnecting in ")?;
    Duration::try_from_secs_f64(rest.strip_suffix(" s")?.parse().ok()?).ok()
}

/// Parses the events that were printed with `--format json`.
#[must_use]
pub fn from_json(printed: &str) -> Vec<Received> {
    let event = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    printed.lines().map(event).collect()
}

/// Parses the events that were printed with `--format raw`.
#[must_use]
pub fn from_raw(printed: &str) -> Vec<Received> {
    let (mut parser, mut chunk, mut events) = (Parser::new(), Chunk::new(printed.as_bytes()), Vec::new());
    while let Some(event) = parser.next_event(&mut chunk).unwrap() {
        events.push(Received::from(event));
    }
    events
}
