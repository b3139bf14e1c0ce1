//! How far a run is, on standard error: a line that is rewritten on a terminal, and a line per phase elsewhere.
use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

/// Time between two rewritings.
const INTERVAL: Duration = Duration::from_millis(200);

/// The progress of one phase. It ends when this is dropped.
#[derive(Debug)]
pub struct Progress {
    phase: String,
    total: u64,
    terminal: bool,
    written: Instant,
}

impl Progress {
    /// A phase that is done at `total`.
    #[must_use]
    pub fn new(phase: String, total: u64) -> Self {
        let terminal = io::stderr().is_terminal();
        if !terminal {
            eprintln!("{phase}");
        }
        Self { phase, total, terminal, written: Instant::now() }
    }

    /// Shows that this much is done, if the last time is a while ago.
    pub fn show(&mut self, done: u64) {
        if self.terminal && self.written.elapsed() >= INTERVAL {
            self.written = Instant::now();
            eprint!("\r\x1b[K{}: {done} of {}", self.phase, self.total);
            // Progress that cannot be shown is no reason to end.
            drop(io::stderr().flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}
