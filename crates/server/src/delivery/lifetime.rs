//! The lifetime of a stream: it ends when its token expires, or when it has lasted as long as the hub allows. Both
//! times are changed a little at random, so that streams that began at the same time do not end at the same time.
use super::wheel::TICK;
use fanfare_hub::{ending::EndReason, entry::Timestamp, fan_out::timing};
use std::time::{Duration, Instant};
use tokio::time;

/// The time and the reason of the end of one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// The time when the stream ends; `None` if it may last for any time.
    pub ends: Option<Instant>,
    /// The reason that is sent to the subscriber when the stream ends; `None` if the subscriber may reconnect with the
    /// same token.
    pub reason: Option<EndReason>,
}

impl Lifetime {
    /// Returns the lifetime of a stream that begins now.
    #[must_use]
    pub fn new(max_lifetime: Option<Duration>, expires_at: Option<Timestamp>) -> Self {
        let lifetime = max_lifetime.map(|lifetime| lifetime.mul_f64(timing::spread(&mut fastrand::Rng::new())));
        let validity =
            expires_at.map(|at| before_expiry(Duration::from_millis(at.0.saturating_sub(Timestamp::now().0))));
        let (left, reason) = match (lifetime, validity) {
            (Some(lifetime), Some(validity)) if lifetime < validity => (Some(lifetime), None),
            (lifetime, None) => (lifetime, None),
            (_, validity) => (validity, Some(EndReason::TokenExpired)),
        };
        Self { ends: left.and_then(|left| time::Instant::now().into_std().checked_add(left)), reason }
    }
}

/// Returns how long a stream may last if its token is valid for `validity` from now. This is a little less than
/// `validity`: the stream must not end later than the token, but a timer may fire one tick late, or even later on a
/// busy machine. The difference is random, because subscribers that got their tokens at the same time would otherwise
/// reconnect at the same time.
fn before_expiry(validity: Duration) -> Duration {
    let early = (validity / EARLY_PART).min(MAX_EARLY).mul_f64((1.0 + fastrand::f64()) / 2.0);
    validity.saturating_sub(early + 2 * TICK)
}

/// The divisor of a token's remaining validity: a stream ends at most this part, and two ticks of a timer, before its
/// token expires.
const EARLY_PART: u32 = 20;
/// The longest time by which a stream ends before its token expires, apart from the two ticks.
const MAX_EARLY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn only_a_token_that_expires_is_told() {
        let reason = |lifetime: Option<u64>, validity_ms: Option<u64>| {
            let expires_at = validity_ms.map(|left| Timestamp(Timestamp::now().0 + left));
            Lifetime::new(lifetime.map(Duration::from_secs), expires_at).reason
        };
        assert_eq!(reason(None, None), None);
        assert_eq!(reason(Some(60), None), None);
        assert_eq!(reason(Some(60), Some(600_000)), None, "a subscriber may come back with the same token");
        assert_eq!(reason(Some(600), Some(60_000)), Some(EndReason::TokenExpired));
        assert_eq!(reason(None, Some(60_000)), Some(EndReason::TokenExpired));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_within_its_lifetime_and_its_tokens() {
        let now = time::Instant::now().into_std();
        let lifetime = Some(Duration::from_secs(600));
        assert_eq!(Lifetime::new(lifetime, Some(Timestamp(0))).ends, Some(now), "the token has expired");
        let left = Lifetime::new(lifetime, None).ends.unwrap() - now;
        assert!((480..=600).contains(&left.as_secs()), "{left:?}");
        assert_eq!(Lifetime::new(None, None).ends, None);
    }
}
