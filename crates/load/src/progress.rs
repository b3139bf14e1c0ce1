//! The progress of a run: a line on standard error that is rewritten. If standard error is not a terminal, nothing is
//! shown.
use std::{
    fmt,
    io::{self, IsTerminal, Write},
    thread,
    time::{Duration, Instant},
};

/// The time between two updates of the line.
const INTERVAL: Duration = Duration::from_millis(200);

/// The progress of one phase. Its line is removed when this value is dropped.
#[derive(Debug)]
pub struct Progress<'p> {
    phase: &'p str,
    terminal: bool,
    written: Option<Instant>,
}

impl<'p> Progress<'p> {
    /// Creates the progress of a phase with this name.
    #[must_use]
    pub fn new(phase: &'p str) -> Self {
        Self { phase, terminal: io::stderr().is_terminal(), written: None }
    }

    /// Shows `state`, unless the line was updated within the last 200 ms.
    pub fn show(&mut self, state: fmt::Arguments<'_>) {
        if self.terminal && self.written.is_none_or(|written| written.elapsed() >= INTERVAL) {
            self.written = Some(Instant::now());
            eprint!("\r\x1b[K{}: {state}", self.phase);
            // If progress cannot be shown, the run continues.
            drop(io::stderr().flush());
        }
    }

    /// Waits for the given time, and meanwhile shows how much of it has passed.
    pub fn pass(phase: &'p str, time: Duration) {
        Self::pass_until(phase, time, || false);
    }

    /// Waits until `happened` returns true, at most for the given time, and meanwhile shows how much of it has passed.
    /// Returns the time that has passed.
    pub fn pass_until(phase: &'p str, time: Duration, mut happened: impl FnMut() -> bool) -> Duration {
        let (begun, mut progress) = (Instant::now(), Self::new(phase));
        while begun.elapsed() < time && !happened() {
            progress.show(format_args!("{:.0} of {:.0} s", begun.elapsed().as_secs_f64(), time.as_secs_f64()));
            thread::sleep(time.saturating_sub(begun.elapsed()).min(INTERVAL / 4));
        }
        begun.elapsed()
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if self.written.is_some() {
            eprint!("\r\x1b[K");
        }
    }
}
