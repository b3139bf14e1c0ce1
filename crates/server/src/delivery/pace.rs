//! The pace of a stream: when it gets a heartbeat and when it ends. All of it is jittered, so that what began together
//! does not go on falling together.
use super::wheel::TICK;
use fanfare_hub::{ending::EndReason, entry::Timestamp};
use std::time::Duration;
use tokio::time::Instant;

/// The pace of one stream.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    heartbeat_interval: Duration,
    next_heartbeat: Instant,
    ends: Option<Instant>,
    reason: Option<EndReason>,
}

/// The thing that is due.
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
        let validity =
            expires_at.map(|at| before_expiry(Duration::from_millis(at.0.saturating_sub(Timestamp::now().0))));
        let (left, reason) = match (lifetime, validity) {
            (Some(lifetime), Some(validity)) if lifetime < validity => (Some(lifetime), None),
            (lifetime, None) => (lifetime, None),
            (_, validity) => (validity, Some(EndReason::TokenExpired)),
        };
        let ends = left.and_then(|left| now.checked_add(left));
        let mut pace = Self { heartbeat_interval, next_heartbeat: now, ends, reason };
        pace.spoke();
        pace
    }

    /// Something was sent, so the next heartbeat is an interval away.
    pub fn spoke(&mut self) {
        self.next_heartbeat = Instant::now() + self.heartbeat_interval.mul_f64(spread());
    }

    /// The time when the stream is to end.
    pub(crate) fn ends(&self) -> Option<std::time::Instant> {
        self.ends.map(Instant::into_std)
    }

    /// The reason that the subscriber is to be told when the stream ends, once; `None` if it need only ask again.
    pub(crate) fn take_reason(&mut self) -> Option<EndReason> {
        self.reason.take()
    }

    /// The time when something will be due.
    #[must_use]
    pub fn next(&self) -> Instant {
        self.ends.map_or(self.next_heartbeat, |ends| ends.min(self.next_heartbeat))
    }

    /// The thing that is due now.
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

/// The time for which a stream may last whose token is valid for `validity` more: a little less, because it must not
/// end later, a timer fires a tick late, and a busy machine later; and not the same for all, because those who got
/// their tokens together would come back together.
fn before_expiry(validity: Duration) -> Duration {
    let early = (validity / EARLY_PART).min(MAX_EARLY).mul_f64((1.0 + fastrand::f64()) / 2.0);
    validity.saturating_sub(early + 2 * TICK)
}

/// A stream ends before its token by at most this part of the time that is left.
const EARLY_PART: u32 = 20;
/// And by at most this time.
const MAX_EARLY: Duration = Duration::from_secs(5);

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

    #[test]
    fn a_stream_ends_before_its_token_does() {
        for validity in [0, 1, 20, 2_000, 100_000, 3_600_000, u64::MAX / 2].map(Duration::from_millis) {
            let left = before_expiry(validity);
            assert!(left <= validity.saturating_sub(2 * TICK), "{left:?} of {validity:?}");
            assert!(
                left <= validity.mul_f64(0.975).max(validity.saturating_sub(MAX_EARLY / 2)),
                "{left:?} of {validity:?}"
            );
            assert!(left + 2 * TICK + MAX_EARLY >= validity && left + 2 * TICK >= validity.mul_f64(0.94));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_token_that_expires_is_told() {
        let pace = |lifetime: Option<u64>, validity_ms: Option<u64>| {
            let expires_at = validity_ms.map(|left| Timestamp(Timestamp::now().0 + left));
            Pace::new(Duration::from_secs(20), lifetime.map(Duration::from_secs), expires_at).take_reason()
        };
        assert_eq!(pace(None, None), None);
        assert_eq!(pace(Some(60), None), None);
        assert_eq!(pace(Some(60), Some(600_000)), None, "whoever asks again may come back");
        assert_eq!(pace(Some(600), Some(60_000)), Some(EndReason::TokenExpired));
        assert_eq!(pace(None, Some(60_000)), Some(EndReason::TokenExpired));
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
