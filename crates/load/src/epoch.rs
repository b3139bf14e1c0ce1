//! The moment from which a run's times count, the same in all its processes.
use std::time::{Duration, Instant, SystemTime};

/// A moment by which processes can agree on times: each relates its own monotonic clock to the time of day once, so
/// that a clock that is set during the run moves nothing.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    instant: Instant,
    since_unix: Duration,
}

impl Epoch {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        let since_unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { instant: Instant::now(), since_unix }
    }

    /// The epoch that another process tells by [`since_unix`](Self::since_unix). It must be in the past.
    #[must_use]
    pub fn of(since_unix: Duration) -> Self {
        let now = Self::now();
        let age = now.since_unix.saturating_sub(since_unix);
        Self { instant: now.instant.checked_sub(age).unwrap_or(now.instant), since_unix }
    }

    /// The time of day of the epoch.
    #[must_use]
    pub fn since_unix(&self) -> Duration {
        self.since_unix
    }

    /// The time that has passed since.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.instant.elapsed()
    }

    /// The time from the epoch to `instant`; zero if that was before.
    #[must_use]
    pub fn until(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_told_to_another_is_the_same_moment() {
        let epoch = Epoch::now();
        let (here, there) = (epoch.elapsed(), Epoch::of(epoch.since_unix()).elapsed());
        assert!(there.saturating_sub(here) < Duration::from_secs(1) && here <= there + Duration::from_secs(1));
    }
}
