//! The log lines about a log that refuses publications: once when it begins, now and then while it lasts, and once when
//! it ends. Publishers try again, and a line for each attempt would fill the disk that is full already.
use super::LogError;
use std::time::{Duration, Instant};

/// The time between two lines while the log refuses.
pub(super) const REMINDER_INTERVAL: Duration = Duration::from_secs(60);

/// The publications that were refused since the log last took one.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    count: u64,
    told: Option<Instant>,
}

impl Refusals {
    /// Counts publications that were refused, and returns how many there are if it is time to say so.
    fn refused(&mut self, publications: usize, now: Instant) -> Option<u64> {
        self.count += publications as u64;
        let is_time = self.told.is_none_or(|told| now.duration_since(told) >= REMINDER_INTERVAL);
        if is_time {
            self.told = Some(now);
        }
        is_time.then_some(self.count)
    }

    /// Says that publications were refused, if it is time to say so.
    pub(super) fn tell(&mut self, publications: usize, error: &LogError) {
        if let Some(refused) = self.refused(publications, Instant::now()) {
            tracing::error!(%error, refused, "the log does not take publications: publishers get 503 until it does");
        }
    }

    /// Says that the log takes publications again, if it did not.
    pub(super) fn end(&mut self) {
        if self.told.take().is_some() {
            tracing::warn!(refused = self.count, "the log takes publications again");
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
        assert_eq!(refusals.refused(1, at(301)), Some(1), "it is told anew");
    }
}
