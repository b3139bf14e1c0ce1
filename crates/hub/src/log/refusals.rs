//! The messages about a log that refuses publications: one when the refusals begin, one per minute while they last, and
//! one when they end. Publishers try again, and a message for each attempt would fill a disk that is already full.
use super::LogError;
use std::time::{Duration, Instant};

/// The time between two messages while the log refuses publications.
pub(super) const REMINDER_INTERVAL: Duration = Duration::from_secs(60);

/// The publications that were refused since the log last accepted one.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    count: u64,
    told: Option<Instant>,
}

impl Refusals {
    /// Counts refused publications. Returns their total number if it is time for a message.
    fn refused(&mut self, publications: usize, now: Instant) -> Option<u64> {
        self.count += publications as u64;
        let is_time = self.told.is_none_or(|told| now.duration_since(told) >= REMINDER_INTERVAL);
        if is_time {
            self.told = Some(now);
        }
        is_time.then_some(self.count)
    }

    /// Logs the message that publications were refused, if it is time for one.
    pub(super) fn tell(&mut self, publications: usize, error: &LogError) {
        if let Some(refused) = self.refused(publications, Instant::now()) {
            tracing::error!(
                %error,
                refused,
                "the log refuses publications: publishers get 503 until it accepts them again"
            );
        }
    }

    /// Logs the message that the log accepts publications again, if it refused publications before.
    pub(super) fn end(&mut self) {
        if self.told.take().is_some() {
            tracing::warn!(refused = self.count, "the log accepts publications again");
            self.count = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_a_minute_at_most() {
        let (mut refusals, begun) = (Refusals::default(), Instant::now());
        let at = |seconds| begun + Duration::from_secs(seconds);
        for (seconds, expected) in [(0, Some(2)), (1, None), (59, None), (60, Some(8)), (61, None), (300, Some(12))] {
            assert_eq!(refusals.refused(2, at(seconds)), expected, "after {seconds} s");
        }
        refusals.end();
        assert_eq!(refusals.refused(1, at(301)), Some(1), "a new message is logged");
    }
}
