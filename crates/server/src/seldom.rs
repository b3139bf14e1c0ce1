//! A limiter of log lines that strangers can cause as often as they like.
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The shortest time between two log lines about the same kind of event, such as refused requests that came through a
/// proxy. Without this limit, strangers could fill the log with such lines.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// A limiter that allows one log line in [`WARNING_INTERVAL`].
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Returns true if a line may be logged now. The caller must then log it.
    pub(crate) fn is_due(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= WARNING_INTERVAL);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }
}
