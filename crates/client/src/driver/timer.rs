//! The timer of a driver.
use crate::{Clock, clock::Sleep};
use std::{
    task::{Context, Poll, ready},
    time::Duration,
};

/// A timer for a deadline that is often moved to a later time: each chunk that arrives moves the deadline of the idle
/// timeout. The timer does not start a new sleep for each move. It lets the present sleep end, and then sleeps until
/// the deadline that is valid by then.
#[derive(Default)]
pub(super) struct Timer(Option<(Sleep, Duration)>);

impl Timer {
    /// Waits for the deadline. Ready with the present time once the deadline has passed.
    pub(super) fn poll(&mut self, deadline: Duration, clock: &dyn Clock, cx: &mut Context<'_>) -> Poll<Duration> {
        loop {
            let (sleep, until) = match &mut self.0 {
                Some(timer) if timer.1 <= deadline => timer,
                none_or_later => none_or_later.insert((clock.sleep(deadline.saturating_sub(clock.now())), deadline)),
            };
            ready!(sleep.as_mut().poll(cx));
            let was_for_this = *until == deadline;
            self.0 = None;
            if was_for_this {
                // `now` may be slightly before the deadline, although the clock's sleep has ended.
                return Poll::Ready(clock.now().max(deadline));
            }
        }
    }
}
