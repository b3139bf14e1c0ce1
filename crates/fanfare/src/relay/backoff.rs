//! Delays between attempts: each delay is longer than the delay before it.
use std::time::Duration;
use tokio::time::sleep;

/// A sequence of delays: each is twice the delay before it, up to a maximum.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new([first, most]: [Duration; 2]) -> Self {
        Self { first, most, next: first }
    }

    /// Returns the next delay, which is twice the delay before, up to the maximum.
    pub(crate) fn next(&mut self) -> Duration {
        let next = self.next;
        self.next = (next * 2).min(self.most);
        next
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// Waits for the next delay of the sequence.
    pub(crate) async fn wait(&mut self) {
        sleep(self.next()).await;
    }
}
