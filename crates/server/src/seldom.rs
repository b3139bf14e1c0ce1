//! A limit for log lines that strangers cause as often as they like.
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The time between two log lines that say that what a proxy let in was refused. Strangers decide how often it happens.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Allows a line once in [`WARNING_INTERVAL`].
#[derive(Debug, Default)]
pub(crate) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    /// Returns true if the line may be logged now.
    pub(crate) fn is_due(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= WARNING_INTERVAL);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }
}
