//! The timer of a driver.
use crate::{Clock, clock::Sleep};
use std::{
    task::{Context, Poll, ready},
    time::Duration,
};

/// A timer for a deadline that is often moved to a later time: each chunk that arrives moves the deadline of the idle
/// timeout. The timer does not start a new sleep for each move. When its sleep ends before the deadline, it starts
/// another sleep until the deadline.
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
                // The clock may end a sleep slightly too early. The caller gets the time of the deadline in this case.
                return Poll::Ready(clock.now().max(deadline));
            }
        }
    }
}
