//! Waiting longer and longer.
use std::time::Duration;
use tokio::time::sleep;

/// Delays that double, up to a bound.
#[derive(Debug)]
pub(super) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new([first, most]: [Duration; 2]) -> Self {
        Self { first, most, next: first }
    }

    /// The next delay.
    pub(super) fn next(&mut self) -> Duration {
        let next = self.next;
        self.next = (next * 2).min(self.most);
        next
    }

    pub(super) fn reset(&mut self) {
        self.next = self.first;
    }

    /// Waits for the next delay.
    pub(super) async fn wait(&mut self) {
        sleep(self.next()).await;
    }
}
