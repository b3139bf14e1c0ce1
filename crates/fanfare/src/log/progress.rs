//! Shows the progress of a verb of `fanfare log` on a terminal, once the verb has taken more than a second.
use super::quantity::size;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// The time after the start of a verb during which no progress bar is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// A progress bar on standard error. If standard error is not a terminal, the bar shows nothing.
pub(super) struct Bar {
    bar: ProgressBar,
    begun: Instant,
}

impl Bar {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("[{bar:30}] {msg}").expect("the template is constant and valid");
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self { bar: bar.with_style(style.progress_chars("=> ")), begun: Instant::now() }
    }

    /// Shows that `done` of `total` bytes have been processed.
    pub(super) fn bytes(&self, done: u64, total: u64) {
        self.show(done, total, || format!("{} of {}", size(done), size(total)));
    }

    /// Shows that `done` of `total` updates have been processed.
    pub(super) fn updates(&self, done: u64, total: u64) {
        self.show(done, total, || format!("{done} of {total} updates"));
    }

    fn show(&self, done: u64, total: u64, text: impl Fn() -> String) {
        if self.begun.elapsed() < PATIENCE {
            return;
        }
        if self.bar.is_hidden() {
            // If standard error is not a terminal, the bar stays hidden even after this call.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_length(total);
        self.bar.set_message(text());
        self.bar.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
