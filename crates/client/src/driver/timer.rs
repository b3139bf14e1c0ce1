//! The one timer of a driver.
use crate::{Clock, clock::Sleep};
use std::{
    task::{Context, Poll, ready},
    time::Duration,
};

/// Waits for deadlines, of which each is usually later than the one before: a silence that is broken by every chunk has
/// one timer for any number of chunks.
#[derive(Default)]
pub(super) struct Timer(Option<(Sleep, Duration)>);

impl Timer {
    /// Ready with the time when the deadline has passed.
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
                // A clock that sleeps may say by itself that a little is missing.
                return Poll::Ready(clock.now().max(deadline));
            }
        }
    }
}
