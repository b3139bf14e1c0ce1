//! When a stream gets a heartbeat and when it ends. All of it is jittered, so that what began together does not go on
//! falling together.
use fanfare_hub::entry::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// The pace of one stream.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    heartbeat_interval: Duration,
    next_heartbeat: Instant,
    ends: Option<Instant>,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The stream was silent for long enough.
    Heartbeat,
    /// The stream has reached its end: of its lifetime, or of its token's.
    End,
}

impl Pace {
    /// The pace of a stream that begins now.
    #[must_use]
    pub fn new(heartbeat_interval: Duration, max_lifetime: Option<Duration>, expires_at: Option<Timestamp>) -> Self {
        let now = Instant::now();
        let lifetime = max_lifetime.map(|lifetime| lifetime.mul_f64(spread()));
        let validity = expires_at.map(|at| Duration::from_millis(at.0.saturating_sub(Timestamp::now().0)));
        let ends = [lifetime, validity].into_iter().flatten().min().and_then(|left| now.checked_add(left));
        let mut pace = Self { heartbeat_interval, next_heartbeat: now, ends };
        pace.spoke();
        pace
    }

    /// Something was sent, so the next heartbeat is an interval away.
    pub fn spoke(&mut self) {
        self.next_heartbeat = Instant::now() + self.heartbeat_interval.mul_f64(spread());
    }

    /// When the stream is to end.
    pub(crate) fn ends(&self) -> Option<std::time::Instant> {
        self.ends.map(Instant::into_std)
    }

    /// When something will be due.
    #[must_use]
    pub fn next(&self) -> Instant {
        self.ends.map_or(self.next_heartbeat, |ends| ends.min(self.next_heartbeat))
    }

    /// What is due now.
    #[must_use]
    pub fn due(&self) -> Option<Due> {
        let now = Instant::now();
        if self.ends.is_some_and(|ends| ends <= now) {
            Some(Due::End)
        } else {
            (self.next_heartbeat <= now).then_some(Due::Heartbeat)
        }
    }
}

/// The least that [`spread`] gives.
pub(crate) const LEAST_SPREAD: f64 = 0.8;

/// A factor between [`LEAST_SPREAD`] and 1.
pub(crate) fn spread() -> f64 {
    LEAST_SPREAD + (1.0 - LEAST_SPREAD) * fastrand::f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn heartbeats_come_after_silence() {
        let mut pace = Pace::new(Duration::from_secs(20), None, None);
        advance(Duration::from_secs(15)).await;
        assert_eq!(pace.due(), None);
        advance(Duration::from_secs(5)).await;
        assert_eq!(pace.due(), Some(Due::Heartbeat));
        pace.spoke();
        assert_eq!(pace.due(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_within_its_lifetime_and_its_tokens() {
        let long = Pace::new(Duration::from_secs(20), Some(Duration::from_secs(600)), None);
        let short = Pace::new(Duration::from_secs(20), Some(Duration::from_secs(600)), Some(Timestamp(0)));
        assert_eq!(short.due(), Some(Due::End), "the token has expired");
        advance(Duration::from_secs(479)).await;
        assert_eq!(long.due(), Some(Due::Heartbeat));
        advance(Duration::from_secs(121)).await;
        assert_eq!(long.due(), Some(Due::End));
    }
}
