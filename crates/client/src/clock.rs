//! The clock of an event source.
use std::{
    collections::BTreeMap,
    future::Future,
    mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// A future that ends after the duration that was given to [`Clock::sleep`].
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A source of time.
pub trait Clock: Send + Sync + 'static {
    /// Returns the time since a fixed moment, which the clock chooses. A later call never returns a smaller time.
    fn now(&self) -> Duration;

    /// Returns a future that ends when `duration` has passed since this call.
    fn sleep(&self, duration: Duration) -> Sleep;
}

/// The clock of tokio, which `tokio::time::pause` pauses. It is the default clock of an event source.
#[derive(Clone, Debug, Default)]
pub struct TokioClock {
    /// The moment of the first call of `now`, from which time is counted. The moment when the clock was made cannot be
    /// used: a clock may be made outside of a runtime, where the paused time of the runtime cannot be read.
    origin: OnceLock<tokio::time::Instant>,
}

impl Clock for TokioClock {
    fn now(&self) -> Duration {
        self.origin.get_or_init(tokio::time::Instant::now).elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock for tests, which does not move until it is advanced. Clones share the same time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    state: Arc<Mutex<ManualTime>>,
}

#[derive(Debug, Default)]
struct ManualTime {
    now: Duration,
    /// The wakers of the waiting tasks. The key is the time at which a task has to be woken, with a number that makes
    /// each key unique.
    sleepers: BTreeMap<(Duration, u64), Waker>,
    next_sleeper: u64,
}

impl ManualClock {
    /// Makes a clock whose time is 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward by `duration`, and wakes the tasks whose sleep has then ended.
    pub fn advance(&self, duration: Duration) {
        let woken: Vec<Waker> = {
            let mut time = self.lock();
            time.now += duration;
            let now = time.now;
            let later = time.sleepers.split_off(&(now + Duration::from_nanos(1), 0));
            mem::replace(&mut time.sleepers, later).into_values().collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// Returns the time until the first waiting task is due; `None` if no task waits.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        let time = self.lock();
        time.sleepers.first_key_value().map(|((until, _), _)| until.saturating_sub(time.now))
    }

    fn lock(&self) -> MutexGuard<'_, ManualTime> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let mut time = self.lock();
        time.next_sleeper += 1;
        Box::pin(ManualSleep { clock: self.clone(), key: (time.now.saturating_add(duration), time.next_sleeper) })
    }
}

struct ManualSleep {
    clock: ManualClock,
    key: (Duration, u64),
}

impl Future for ManualSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut time = self.clock.lock();
        if time.now >= self.key.0 {
            return Poll::Ready(());
        }
        let former = time.sleepers.insert(self.key, cx.waker().clone());
        // The lock is released before the old waker is dropped. Dropping a waker may drop its task, and a sleep in that
        // task locks the clock when it is dropped.
        drop(time);
        drop(former);
        Poll::Pending
    }
}

impl Drop for ManualSleep {
    fn drop(&mut self) {
        // The lock is released before the waker is dropped, because dropping a waker may drop a task that uses this
        // clock.
        let _waker = self.clock.lock().sleepers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    #[test]
    fn time_stands_until_it_is_advanced() {
        let clock = ManualClock::new();
        let mut sleeps = [3, 1, 3].map(|seconds| clock.sleep(Duration::from_secs(seconds)));
        let ended = |sleeps: &mut [Sleep; 3]| sleeps.each_mut().map(|sleep| sleep.now_or_never().is_some());
        assert_eq!(ended(&mut sleeps), [false; 3]);
        assert_eq!(clock.next_due(), Some(Duration::from_secs(1)));
        clock.advance(Duration::from_secs(1));
        assert_eq!(ended(&mut sleeps), [false, true, false]);
        let [first, ..] = sleeps;
        drop(first);
        assert_eq!(
            clock.next_due(),
            Some(Duration::from_secs(2)),
            "one of the two sleeps that end at the same time still waits"
        );
    }
}
