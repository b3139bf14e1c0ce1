//! A moment: a time in milliseconds, in 4 bytes. There is one for each member, and an `Instant` takes 16 bytes.
use std::time::{Duration, Instant};

/// Converts times to moments and back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The time of moment 0; `None` before the first conversion.
    begun: Option<Instant>,
}

/// The number of milliseconds after the beginning of a [`Clock`], modulo 2^32. A moment means the last time with this
/// number, so it has to be at most 24 days old. A member's moment is set again at each of the member's deadlines, which
/// are at most a heartbeat interval apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moment(u32);

impl Clock {
    /// Returns the moment of the time `now`.
    pub(super) fn moment(&mut self, now: Instant) -> Moment {
        let begun = *self.begun.get_or_insert(now);
        let milliseconds = now.saturating_duration_since(begun).as_millis() % (1 << 32);
        Moment(u32::try_from(milliseconds).expect("the remainder fits into 32 bits"))
    }

    /// Returns the time of a moment that is not after `now`, to the millisecond. A moment after `now` counts as `now`.
    pub(super) fn time_of(mut self, moment: Moment, now: Instant) -> Instant {
        let passed = self.moment(now).0.wrapping_sub(moment.0);
        let is_after = passed > u32::MAX / 2;
        if is_after { now } else { now.checked_sub(Duration::from_millis(passed.into())).unwrap_or(now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_last_time_with_its_number() {
        let (mut clock, begun) = (Clock::default(), Instant::now());
        assert_eq!(clock.moment(begun), Moment(0));
        let day = Duration::from_secs(24 * 3_600);
        for (spoke, passed) in [(0, 0), (1, 1), (5, 23), (49, 1), (100, 20)] {
            let spoke = begun + spoke * day + Duration::from_millis(7);
            let moment = clock.moment(spoke);
            assert_eq!(clock.time_of(moment, spoke + passed * day), spoke, "{passed} days later");
        }
        let (earlier, later) = (begun + day, clock.moment(begun + 2 * day));
        assert_eq!(clock.time_of(later, earlier), earlier, "a time that has not come counts as now");
    }
}
