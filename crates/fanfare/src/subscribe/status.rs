//! Shows the status of a subscription on standard error. In a terminal, this is one line that is drawn again and again.
//! Otherwise nothing is shown, except with `--verbose`.
use super::args::PrintArgs;
use crate::{
    http::{Ending, Party},
    notice::notice,
    shown::shown_id,
};
use fanfare_client::{Cause, Opened, Signal};
use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

const DIM: anstyle::Style = anstyle::Style::new().dimmed();
/// The terminal codes that move the cursor to the beginning of the line and clear the line.
const CLEAR: &str = "\r\x1b[2K";

/// Prints notices and warnings, and draws the status line.
pub(super) struct Status {
    notices: bool,
    warnings: bool,
    /// True if there is a status line: only if both standard output and standard error are terminals.
    live: bool,
    drawn: bool,
    state: String,
    events: u64,
    since: Instant,
}

impl Status {
    /// The time between two drawings of the status line while nothing happens.
    pub(super) const INTERVAL: Duration = Duration::from_secs(1);

    pub(super) fn new(args: &PrintArgs) -> Self {
        let terminal = io::stderr().is_terminal();
        Self {
            notices: args.verbose || (terminal && !args.quiet),
            warnings: !args.quiet,
            live: terminal && io::stdout().is_terminal() && !args.quiet && !args.join,
            drawn: false,
            state: "connecting".into(),
            events: 0,
            since: Instant::now(),
        }
    }

    /// Returns true if the status line must be drawn again as time passes.
    pub(super) fn is_live(&self) -> bool {
        self.live
    }

    /// Updates the status after a signal that is not an event, such as a lost connection.
    pub(super) fn signal(&mut self, signal: &Signal, party: &Party) {
        match signal {
            Signal::Open(opened) => self.opened(opened, party),
            Signal::Reconnecting { cause, delay } => self.lost(party, cause, *delay),
            Signal::Warning(warning) => self.warn(&warning.to_string()),
            _ => {}
        }
    }

    pub(super) fn event(&mut self) {
        self.events += 1;
    }

    fn opened(&mut self, opened: &Opened, party: &Party) {
        let host = opened.url.host_str().unwrap_or_default();
        self.state = format!("open, {host}");
        let resumed = match opened.last_event_id.as_str() {
            "" => String::new(),
            id => format!(", after event {}", shown_id(id)),
        };
        self.notice(&format!("connected to {}{resumed}", party.place()));
    }

    fn lost(&mut self, party: &Party, cause: &Cause, delay: Duration) {
        self.state = format!("reconnecting in {:.1} s", delay.as_secs_f64());
        let ending = Ending { party: party.clone(), error: cause.clone() };
        self.notice(&format!("{ending}; reconnecting in {:.1} s", delay.as_secs_f64()));
    }

    /// Prints a warning, unless `--quiet` was given.
    pub(super) fn warn(&mut self, text: &str) {
        if self.warnings {
            self.clear();
            notice(text);
        }
    }

    fn notice(&mut self, text: &str) {
        if self.notices {
            self.clear();
            notice(text);
        }
    }

    /// Removes the status line, so that something else can be printed.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(io::stderr(), "{CLEAR}");
        }
    }

    /// Draws the status line, if there is one.
    pub(super) fn draw(&mut self) {
        if self.live {
            let seconds = self.since.elapsed().as_secs();
            let (state, events) = (&self.state, self.events);
            let time = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
            let mut stderr = io::stderr();
            let _ =
                write!(stderr, "{CLEAR}{DIM}{state} · {events} events · {time}{DIM:#}").and_then(|()| stderr.flush());
            self.drawn = true;
        }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.clear();
    }
}
