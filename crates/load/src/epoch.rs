//! The moment from which the times of a run are measured, the same in all its processes.
use std::time::{Duration, Instant, SystemTime};

/// A moment from which several processes measure times. Each process compares its own monotonic clock with the time of
/// day once, so a change of the system's time during the run has no effect.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    instant: Instant,
    since_unix: Duration,
}

impl Epoch {
    /// Returns the epoch that begins now.
    #[must_use]
    pub fn now() -> Self {
        let since_unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self { instant: Instant::now(), since_unix }
    }

    /// Returns the epoch that another process has made. `since_unix` is what its [`since_unix`](Self::since_unix)
    /// returns. The epoch must be in the past.
    #[must_use]
    pub fn of(since_unix: Duration) -> Self {
        let now = Self::now();
        let age = now.since_unix.saturating_sub(since_unix);
        Self { instant: now.instant.checked_sub(age).unwrap_or(now.instant), since_unix }
    }

    /// Returns the time from the Unix epoch to this epoch, by the clock for the time of day.
    #[must_use]
    pub fn since_unix(&self) -> Duration {
        self.since_unix
    }

    /// Returns the time that has passed since the epoch.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.instant.elapsed()
    }

    /// Returns the time from the epoch to `instant`; zero if `instant` was before it.
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
