//! Tests of the wheel: its timers fire at the promised times, and it behaves like a sorted map.
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const HORIZON: Duration = Duration::from_nanos((SLOTS as u64) << TICK_SHIFT);

const NOBODY: [u32; 0] = [];

/// Returns the keys that are due after `passed`, in order.
fn due(wheel: &mut Wheel, start: Instant, passed: Duration) -> Vec<u32> {
    let mut due = Vec::new();
    wheel.expire(start + passed, &mut due);
    due.sort_unstable();
    due
}

/// Each timer fires if `expire` is called a tick after its time, and does not fire if it is called just before its
/// time.
#[test]
fn a_timer_is_never_early_and_at_most_a_tick_late() {
    let nanosecond = Duration::from_nanos(1);
    for at in [nanosecond, TICK, TICK + nanosecond, TICK * 70, HORIZON - TICK, HORIZON, HORIZON * 3 + nanosecond] {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        wheel.schedule(3, start + at);
        assert_eq!(due(&mut wheel, start, at - nanosecond), NOBODY, "{at:?}");
        assert_eq!(due(&mut wheel, start, at + TICK - nanosecond), [3], "{at:?}");
        assert_eq!(due(&mut wheel, start, at + HORIZON * 2), NOBODY, "once only");
    }
}

#[test]
fn what_lies_in_the_past_is_due_at_once() {
    let start = Instant::now();
    let mut wheel = Wheel::new(start + TICK);
    wheel.schedule(0, start);
    assert_eq!(due(&mut wheel, start, TICK), [0]);
    assert_eq!(due(&mut wheel, start, TICK * 100), NOBODY);
    wheel.schedule(1, start + TICK * 50);
    assert_eq!(wheel.next(), Some(start + TICK * 100), "not later than now");
    assert_eq!(due(&mut wheel, start, TICK * 100), [1]);
}

#[test]
fn a_timer_can_be_moved_and_cancelled() {
    let start = Instant::now();
    let mut wheel = Wheel::new(start);
    let at = |ticks: u32| start + TICK * ticks;
    for key in 0..6 {
        wheel.schedule(key, at(10));
    }
    wheel.schedule(1, at(5)); // earlier
    wheel.schedule(2, at(15)); // later
    wheel.cancel(0); // the last of its list
    wheel.cancel(3); // in the middle
    wheel.cancel(5); // the first
    wheel.cancel(99); // never set
    assert_eq!(wheel.next(), Some(at(5)));
    assert_eq!(due(&mut wheel, start, TICK * 9), [1]);
    assert_eq!(due(&mut wheel, start, TICK * 10), [4]);
    assert_eq!(due(&mut wheel, start, TICK * 14), NOBODY);
    assert_eq!(wheel.next(), Some(at(15)));
    assert_eq!(due(&mut wheel, start, TICK * 15), [2]);
    assert_eq!(wheel.next(), None);
}

/// A thread that sleeps until `next` wakes only once for a timer that is due within the horizon, the time of all slots.
/// It wakes once more for each horizon that passes before the timer is due.
#[test]
fn an_idle_wheel_lets_its_owner_sleep() {
    for (at, wakes) in [(TICK * 7, 1), (HORIZON - TICK, 1), (HORIZON * 5, 6)] {
        let start = Instant::now();
        let mut wheel = Wheel::new(start);
        wheel.schedule(0, start + at);
        let mut woke = 0;
        while let Some(next) = wheel.next() {
            wheel.expire(next, &mut Vec::new());
            woke += 1;
        }
        assert_eq!(woke, wakes, "{at:?}");
    }
}

#[test]
fn memory_is_given_back() {
    let start = Instant::now();
    let mut wheel = Wheel::new(start);
    for key in 0..10_000 {
        wheel.schedule(key, start + TICK * (key % 5_000));
    }
    (11..10_000).for_each(|key| wheel.cancel(key));
    wheel.shrink();
    assert_eq!(wheel.timers.len(), 11);
    assert!(wheel.timers.capacity() < 100);
    assert_eq!(due(&mut wheel, start, TICK * 10), (0..11).collect::<Vec<_>>());
    wheel.shrink();
    assert_eq!(wheel.timers.capacity(), 0);
    assert_eq!(size_of::<Timer>(), 16);
}

#[derive(Clone, Debug)]
enum Step {
    Schedule(u32, i64),
    Cancel(u32),
    Pass(u64),
    Sleep,
    Shrink,
}

/// Steps whose times, in microseconds, are within a tick, within the horizon or beyond it.
fn step() -> impl Strategy<Value = Step> {
    let key = 0..12u32;
    let away = prop_oneof![-20_000..20_000i64, 0..40_000_000i64, 0..200_000_000i64];
    let passing = prop_oneof![0..20_000u64, 0..1_000_000u64, 0..100_000_000u64];
    prop_oneof![
        5 => (key.clone(), away).prop_map(|(key, away)| Step::Schedule(key, away)),
        2 => key.prop_map(Step::Cancel),
        3 => passing.prop_map(Step::Pass),
        2 => Just(Step::Sleep),
        1 => Just(Step::Shrink),
    ]
}

proptest! {
    #[test]
    fn the_wheel_does_what_a_sorted_map_does(steps in proptest::collection::vec(step(), 1..200)) {
        // The start of the wheel is in the future, so that timers can be set to times before it.
        let start = Instant::now() + Duration::from_secs(1);
        let mut now = start;
        let mut wheel = Wheel::new(start);
        let mut model: BTreeMap<u32, Instant> = BTreeMap::new();
        for step in steps {
            let mut slept = false;
            match step {
                Step::Schedule(key, away) => {
                    let by = Duration::from_micros(away.unsigned_abs());
                    let at = if away < 0 { now - by } else { now + by };
                    wheel.schedule(key, at);
                    model.insert(key, at);
                }
                Step::Cancel(key) => {
                    wheel.cancel(key);
                    model.remove(&key);
                }
                Step::Pass(by) => now += Duration::from_micros(by),
                Step::Sleep => {
                    slept = wheel.next().is_some_and(|next| next > now);
                    now = wheel.next().unwrap_or(now).max(now);
                }
                Step::Shrink => wheel.shrink(),
            }
            prop_assert_eq!(wheel.next().is_some(), !model.is_empty());
            let mut due = Vec::new();
            wheel.expire(now, &mut due);
            for key in due {
                let at = model.remove(&key);
                prop_assert!(at.is_some_and(|at| at <= now), "{} is due, and was to be at {:?} at {:?}", key, at, now);
                prop_assert!(!slept || at.is_some_and(|at| now < at + TICK), "a sleeping owner is woken in time");
            }
            for (key, at) in &model {
                prop_assert!(now < *at + TICK, "{} was due at {:?}, and it is {:?}", key, at, now);
            }
            prop_assert!(wheel.next().is_none_or(|next| next > now), "the owner is not woken at once again");
        }
    }
}
