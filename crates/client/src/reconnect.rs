//! The decision to reconnect, and the delay before it
//! ([WHATWG HTML, 9.2.3](https://html.spec.whatwg.org/multipage/server-sent-events.html#reestablish-the-connection)).
//!
//! The decision depends only on its arguments: it uses no clock, and the seed of its random part can be set.
use http::StatusCode;
use std::{mem, time::Duration};

/// The longest delay that a server can ask for, with `retry` or with `Retry-After`. If a server asks for a longer
/// delay, this one is used. [`Reconnect::max_asked_delay`] can set a shorter one.
pub const MAX_RECONNECTION_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The policy by which an event source reconnects: in which cases, and after which delay.
///
/// The delay is a random value between the reconnection time `t` and `t * 2^n`, all with equal chance. `n` is the
/// number of failed attempts in a row. So a server that fails gets fewer and fewer requests, and its clients do not all
/// come back at the same moment. An attempt has not failed if its connection brought an event or a comment, or was open
/// long enough ([`healthy_after`](Self::healthy_after)) without any. A response alone is not enough, since a server
/// that answers and then crashes has failed, too.
#[derive(Clone, Debug)]
pub struct Reconnect {
    rule: Rule,
    floor: Duration,
    max_delay: Duration,
    max_asked_delay: Duration,
    max_attempts: Option<u32>,
    healthy_after: Duration,
    reconnection_time: Duration,
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Never,
    Spec,
    Resilient,
}

impl Reconnect {
    /// The policy of the standard, which is the default: it reconnects when a connection ends, breaks or cannot be
    /// made. A response whose status is not 200 ends the event source.
    #[must_use]
    pub fn spec() -> Self {
        Self {
            rule: Rule::Spec,
            floor: Duration::from_millis(100),
            max_delay: Duration::from_secs(30),
            max_asked_delay: MAX_RECONNECTION_TIME,
            max_attempts: None,
            healthy_after: Duration::from_secs(10),
            reconnection_time: Duration::from_secs(3),
            seed: None,
        }
    }

    /// The policy of [`spec`](Self::spec), but it also reconnects after the statuses 408, 429 and 5xx. After these
    /// statuses it waits at least as long as `Retry-After` says. Each delay is a random value between `t` and at most
    /// `t * 2^(n+1)`. With [`spec`](Self::spec) the upper limit is `t * 2^n`. So the delay is random even after a
    /// connection that did not fail, and not all clients of a server that restarts come back at the same moment.
    #[must_use]
    pub fn resilient() -> Self {
        Self { rule: Rule::Resilient, ..Self::spec() }
    }

    /// The policy that never reconnects: the end of the response is the end of the events.
    #[must_use]
    pub fn never() -> Self {
        Self { rule: Rule::Never, ..Self::spec() }
    }

    /// Sets the shortest reconnection time, which also applies if the server asks for a shorter one. Default: 100 ms.
    #[must_use]
    pub fn floor(mut self, floor: Duration) -> Self {
        self.floor = floor;
        self
    }

    /// Sets the longest delay that failures can cause. If the server asks for a longer delay, that delay is used.
    /// Default: 30 s.
    #[must_use]
    pub fn max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// Sets the longest delay that the server can ask for, with `retry` or with `Retry-After`. If the server asks for a
    /// longer delay, this one is used. The [reconnection time](Self::reconnection_time) that the program sets may be
    /// longer. Default, and at most: [`MAX_RECONNECTION_TIME`].
    #[must_use]
    pub fn max_asked_delay(mut self, max_asked_delay: Duration) -> Self {
        self.max_asked_delay = max_asked_delay.min(MAX_RECONNECTION_TIME);
        self
    }

    /// Makes the event source give up after this number of failed attempts in a row. Default: it never gives up.
    #[must_use]
    pub fn max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = Some(max_attempts);
        self
    }

    /// Sets how long a connection without events must have been open so that its end is not a failure. Default: 10 s. A
    /// proxy that ends idle connections waits longer than 10 s; a server that crashes when it gets a request ends the
    /// connection sooner. If the [idle timeout](crate::Builder::idle_timeout) ends a connection that brought no event
    /// and no comment, the connection has always failed.
    #[must_use]
    pub fn healthy_after(mut self, time: Duration) -> Self {
        self.healthy_after = time;
        self
    }

    /// Sets the reconnection time that is used until the server sets another. Default: 3 s.
    #[must_use]
    pub fn reconnection_time(mut self, reconnection_time: Duration) -> Self {
        self.reconnection_time = reconnection_time;
        self
    }

    /// Sets the seed of the random delays, so that they are the same each time the program runs.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Returns true if a response of this status leads to another attempt.
    pub(crate) fn retries(&self, status: StatusCode) -> bool {
        let passing = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
        self.rule == Rule::Resilient && (passing || status.is_server_error())
    }

    pub(crate) fn healthy(&self) -> Duration {
        self.healthy_after
    }

    /// Returns true if the policy never makes a second attempt.
    pub(crate) fn is_never(&self) -> bool {
        self.rule == Rule::Never
    }
}

impl Default for Reconnect {
    fn default() -> Self {
        Self::spec()
    }
}

/// The state of a policy in use: the reconnection time that the server has set, and the number of failed attempts.
#[derive(Debug)]
pub(crate) struct Backoff {
    policy: Reconnect,
    rng: fastrand::Rng,
    reconnection_time: Duration,
    /// The number of attempts in a row that have failed.
    fruitless: u32,
    /// True if the present attempt brought an event or was healthy in another way, so its end will not be a failure.
    brought_event: bool,
}

impl Backoff {
    pub(crate) fn new(policy: Reconnect) -> Self {
        let rng = policy.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let reconnection_time = policy.reconnection_time;
        Self { policy, rng, reconnection_time, fruitless: 0, brought_event: false }
    }

    /// Notes that the present attempt brought an event, or was healthy in another way.
    pub(crate) fn event(&mut self) {
        self.brought_event = true;
    }

    /// True if the present attempt brought an event, or was healthy in another way.
    pub(crate) fn has_event(&self) -> bool {
        self.brought_event
    }

    /// Notes the reconnection time that the server set.
    pub(crate) fn set_reconnection_time(&mut self, time: Duration) {
        self.reconnection_time = time.min(self.policy.max_asked_delay);
    }

    /// Notes that an attempt has ended. Returns the number of failed attempts in a row, which is 0 if this attempt has
    /// not failed.
    pub(crate) fn attempt_ended(&mut self) -> u32 {
        self.fruitless = if mem::take(&mut self.brought_event) { 0 } else { self.fruitless.saturating_add(1) };
        self.fruitless
    }

    /// Notes that the program itself ended an attempt. This is not a failure of the server, but if the attempt brought
    /// an event, the number of failed attempts in a row becomes 0.
    pub(crate) fn attempt_left(&mut self) {
        if mem::take(&mut self.brought_event) {
            self.fruitless = 0;
        }
    }

    /// Returns the delay before the next attempt, which is never less than the server has `asked` for within the bounds
    /// of the policy; `None` if the policy allows no further attempt.
    pub(crate) fn next_delay(&mut self, asked: Duration) -> Option<Duration> {
        if self.policy.max_attempts.is_some_and(|max| self.fruitless >= max) {
            return None;
        }
        let shortest = self.reconnection_time.max(self.policy.floor);
        let doublings = self.fruitless.saturating_add(u32::from(self.policy.rule == Rule::Resilient));
        let longest = shortest.saturating_mul(2_u32.saturating_pow(doublings)).min(self.policy.max_delay).max(shortest);
        let delay = shortest.saturating_add((longest - shortest).mul_f64(self.rng.f64()));
        Some(delay.max(asked.min(self.policy.max_asked_delay)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after_attempt(backoff: &mut Backoff) -> Option<Duration> {
        backoff.attempt_ended();
        backoff.next_delay(Duration::ZERO)
    }

    /// The shortest and the longest of many delays after `fruitless` failed attempts.
    fn range(policy: &Reconnect, fruitless: u32) -> (Duration, Duration) {
        let delays = (0..500).map(|seed| {
            let mut backoff = Backoff::new(policy.clone().seed(seed));
            backoff.event();
            let mut delay = after_attempt(&mut backoff);
            for _ in 0..fruitless {
                delay = after_attempt(&mut backoff);
            }
            delay.expect("there is no end to attempts")
        });
        let delays: Vec<_> = delays.collect();
        (*delays.iter().min().expect("there are delays"), *delays.iter().max().expect("there are delays"))
    }

    #[test]
    fn delays_spread_and_grow_up_to_a_bound() {
        let policy = Reconnect::spec().reconnection_time(SECOND).max_delay(10 * SECOND);
        assert_eq!(range(&policy, 0), (SECOND, SECOND), "after an event it is what the server asked for");
        for (fruitless, longest) in [(1, 2), (2, 4), (3, 8), (4, 10), (100, 10)] {
            let (min, max) = range(&policy, fruitless);
            let longest = longest * SECOND;
            assert!(min >= SECOND && min < SECOND + longest / 10, "{fruitless}: {min:?}");
            assert!(max <= longest && max > longest * 9 / 10, "{fruitless}: {max:?}");
        }
        let (_, max) = range(&Reconnect::resilient().reconnection_time(SECOND), 0);
        assert!(max > SECOND * 19 / 10 && max <= 2 * SECOND, "resilient spreads the first too: {max:?}");
    }

    #[test]
    fn the_server_is_heard_within_bounds() {
        let cases = [
            (Duration::ZERO, Duration::from_millis(100)),
            (Duration::from_millis(99), Duration::from_millis(100)),
            (60 * SECOND, 60 * SECOND),
            (Duration::MAX, MAX_RECONNECTION_TIME),
        ];
        for (asked, delay) in cases {
            let mut backoff = Backoff::new(Reconnect::spec());
            backoff.event();
            backoff.set_reconnection_time(asked);
            assert_eq!(after_attempt(&mut backoff), Some(delay), "{asked:?}");
        }
        let mut backoff = Backoff::new(Reconnect::resilient());
        assert_eq!(backoff.next_delay(90 * SECOND), Some(90 * SECOND));
        assert_eq!(backoff.next_delay(Duration::MAX), Some(MAX_RECONNECTION_TIME));
        let mut backoff = Backoff::new(Reconnect::spec().max_asked_delay(90 * SECOND));
        for (asked, delay) in [(60, 60), (90, 90), (91, 90), (u64::MAX, 90)] {
            backoff.event();
            backoff.set_reconnection_time(Duration::from_secs(asked));
            assert_eq!(after_attempt(&mut backoff), Some(delay * SECOND), "retry");
            backoff.event();
            backoff.set_reconnection_time(SECOND);
            backoff.attempt_ended();
            assert_eq!(backoff.next_delay(Duration::from_secs(asked)), Some(delay * SECOND), "Retry-After");
        }
    }

    #[test]
    fn the_program_may_wait_longer_than_the_server_can_ask_for() {
        for own in [91 * SECOND, MAX_RECONNECTION_TIME + SECOND, Duration::MAX] {
            let policy = Reconnect::resilient().reconnection_time(own).max_asked_delay(90 * SECOND);
            assert_eq!(range(&policy, 0), (own, own), "its reconnection time");
            assert_eq!(range(&Reconnect::resilient().floor(own), 3), (own, own), "its shortest time");
        }
        let mut backoff = Backoff::new(Reconnect::spec().max_asked_delay(Duration::MAX));
        backoff.set_reconnection_time(Duration::MAX);
        backoff.event();
        assert_eq!(after_attempt(&mut backoff), Some(MAX_RECONNECTION_TIME));
    }

    #[test]
    fn an_event_and_nothing_else_resets_the_count() {
        let mut backoff = Backoff::new(Reconnect::spec().max_attempts(2));
        assert!(after_attempt(&mut backoff).is_some());
        backoff.event();
        assert!(after_attempt(&mut backoff).is_some());
        assert!(after_attempt(&mut backoff).is_some());
        assert_eq!(after_attempt(&mut backoff), None);
    }

    #[test]
    fn statuses_that_pass_are_tried_again_by_the_resilient() {
        for (status, passing) in
            [(408, true), (429, true), (500, true), (503, true), (404, false), (401, false), (205, false)]
        {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Reconnect::resilient().retries(status), passing, "{status}");
            assert!(!Reconnect::spec().retries(status) && !Reconnect::never().retries(status));
        }
    }
}
