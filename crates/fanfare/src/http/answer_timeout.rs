//! The time within which a hub must answer.
use fanfare_server::body::BODY_RATE;
use std::time::Duration;

/// The time within which the hub must answer a small request, or continue an answer. A hub with its log on disk answers
/// only when the updates are on disk.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// Returns the time within which the hub must answer a request with a body of this size. A large body has more time, so
/// that a slow connection can carry it: as much as a hub gives it.
pub(crate) fn answer_timeout(body_bytes: usize) -> Duration {
    ANSWER_TIMEOUT + Duration::from_secs(body_bytes as u64 / BODY_RATE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanfare_server::body::BODY_TIMEOUT;

    #[test]
    fn it_is_longer_than_the_time_that_a_hub_gives_the_body() {
        for bytes in [0, 1, 1 << 20, 16 << 20] {
            let hub = BODY_TIMEOUT + Duration::from_secs(bytes as u64 / BODY_RATE);
            assert!(answer_timeout(bytes) > hub, "{bytes} bytes");
        }
        assert_eq!(answer_timeout(100), ANSWER_TIMEOUT);
    }
}
