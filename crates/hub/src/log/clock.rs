//! The clock that gives the entries of a log their time. Its time never goes backwards, even if the system's clock
//! does.
use super::Log;
use crate::entry::Timestamp;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The greatest deviation of the system's clock that is not treated as a jump. If the system's clock is behind the time
/// of the log by no more than this, the time of the log stops until the system's clock has caught up.
const TOLERANCE: Duration = Duration::from_secs(60);

/// The clock of a log.
///
/// If the time of the newest entry is far ahead of the system's clock, the time of the log continues from the time of
/// that entry at normal speed. So entries still grow old and retention works, although the system's clock is behind.
#[derive(Debug)]
pub(crate) struct LogClock {
    system: fn() -> Timestamp,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    newest: Timestamp,
    /// The number of milliseconds that are added to the system's clock to get the time of the log.
    ahead_ms: u64,
    /// The moment when the system's clock was last read, and the time that it showed.
    read: (Instant, Timestamp),
}

impl LogClock {
    /// Returns the clock of a log. It starts with the time of the newest entry, if there is one.
    pub(crate) fn of(log: &dyn Log, system: fn() -> Timestamp) -> Self {
        let state = State { newest: log.newest(), ahead_ms: 0, read: (Instant::now(), system()) };
        Self { system, state: Mutex::new(state) }
    }

    /// Returns the current time of the log.
    pub(crate) fn now(&self) -> Timestamp {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let clock = (self.system)();
        state.notice_a_leap(clock);
        let tolerance_ms = u64::try_from(TOLERANCE.as_millis()).unwrap_or(u64::MAX);
        if clock >= state.newest {
            state.ahead_ms = 0;
        } else if state.newest.0 - clock.0 > state.ahead_ms.saturating_add(tolerance_ms) {
            state.ahead_ms = state.newest.0 - clock.0;
            tracing::warn!(
                ahead_s = state.ahead_ms / 1_000,
                "the newest entry of the log is later than the system's clock: the time of the log continues from the \
                 time of that entry; check the system's clock"
            );
        }
        state.newest = state.newest.max(Timestamp(clock.0.saturating_add(state.ahead_ms)));
        state.newest
    }
}

impl State {
    fn notice_a_leap(&mut self, clock: Timestamp) {
        let (then, before) = std::mem::replace(&mut self.read, (Instant::now(), clock));
        let by = Duration::from_millis(clock.0.saturating_sub(before.0)).saturating_sub(then.elapsed());
        if by > TOLERANCE {
            tracing::warn!(
                by_s = by.as_secs(),
                "the system's clock has jumped forward: retention may discard updates early"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        log::{MemoryLog, Retention, SegmentLog, erase::Erase},
        topic::{PRESENCE_TOPICS, Topic},
        update::{Update, UpdateFields},
    };
    use std::{cell::Cell, fs};

    thread_local! {
        static SYSTEM: Cell<u64> = const { Cell::new(0) };
    }

    fn clock(newest: u64) -> LogClock {
        let log = MemoryLog::new(Retention::default());
        let topics = vec![Topic::new("a").unwrap()];
        let update = Update::new(UpdateFields { topics, ..UpdateFields::default() }).unwrap();
        log.append(vec![update], Timestamp(newest)).unwrap();
        LogClock::of(&log, || Timestamp(SYSTEM.get()))
    }

    /// The time of the newest entry counts after a kill, whatever a reader gets of this entry then.
    #[test]
    fn time_goes_on_from_an_entry_that_no_reader_gets() {
        let topic = |name: &str| Topic::new(name).unwrap();
        let plain = |ttl_ms| {
            let fields = UpdateFields { topics: vec![topic("a")], ttl_ms, ..UpdateFields::default() };
            Update::new(fields).unwrap()
        };
        let of_presence = || Update::of_hub(topic(&format!("{PRESENCE_TOPICS}a")), "{}".into(), None);
        let (erased, nothing) = (topic("a"), topic("b"));
        for (batch, erased) in
            [(vec![of_presence(); 3], &nothing), (vec![plain(None)], &erased), (vec![plain(Some(1))], &nothing)]
        {
            let (dir, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
            let log = SegmentLog::open(dir.path(), Retention::default()).unwrap();
            log.append(vec![plain(None)], Timestamp(50_000)).unwrap();
            log.append(batch, Timestamp(100_000)).unwrap();
            let erase = Erase { topic: Some(erased), id: None, before: None, may: &|_| true };
            log.erase(&erase, Timestamp(100_000)).unwrap();
            let _still = log.hold_still();
            for file in fs::read_dir(dir.path()).unwrap().map(Result::unwrap) {
                fs::copy(file.path(), killed.path().join(file.file_name())).unwrap();
            }
            let killed = SegmentLog::open(killed.path(), Retention::default()).unwrap();
            let clock = LogClock::of(&killed, || Timestamp(SYSTEM.get()));
            assert_eq!([99_000, 100_001].map(|system| at(&clock, system)), [100_000, 100_001]);
        }
    }

    fn at(clock: &LogClock, system: u64) -> u64 {
        SYSTEM.set(system);
        clock.now().0
    }

    #[test]
    fn time_does_not_go_backwards() {
        let clock = clock(100_000);
        // If the system's clock is a little behind, the time of the log stops; if it is ahead, the time of the log
        // follows it.
        for (system, expected) in [(99_000, 100_000), (100_500, 100_500), (60_000, 100_500), (100_501, 100_501)] {
            assert_eq!(at(&clock, system), expected, "at {system}");
        }
    }

    #[test]
    fn after_a_clock_far_ahead_time_goes_on_from_there() {
        let far = 70 * 365 * 86_400_000_u64;
        let clock = clock(far);
        let cases = [
            (1_000_000, far),
            (1_000_500, far + 500),
            (4_600_000, far + 3_600_000),
            // If the system's clock is set back a little, the time of the log stops. If it is set back further, the
            // time of the log continues from its last value.
            (4_599_000, far + 3_600_000),
            (1_000_000, far + 3_600_000),
            (1_002_000, far + 3_602_000),
            // The system's clock is right again, or far ahead itself.
            (far + 9_000_000, far + 9_000_000),
            (far + 9_000_001, far + 9_000_001),
        ];
        for (system, expected) in cases {
            assert_eq!(at(&clock, system), expected, "at {system}");
        }
    }
}
