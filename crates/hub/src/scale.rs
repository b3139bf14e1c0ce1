//! A check that the time of an operation does not grow faster than its amount of work.
use std::time::Duration;

/// The smaller amount of work, which is compared with [`LONG`].
const SHORT: usize = 1 << 10;
const LONG: usize = 32 * SHORT;

/// Checks that the time of work grows in proportion to the amount of work. If it grew with the square of the amount,
/// the larger amount would take a thousand times as long as the smaller one. `time` does an amount of work, and returns
/// the time that it took.
pub(crate) fn is_nearly_linear(time: impl Fn(usize) -> Duration) {
    let shortest = (0..5).map(|_| time(SHORT)).min().unwrap_or_default();
    // Other processes on the machine can only make a measurement longer, so one short measurement is enough.
    let is_linear = (0..5).any(|_| time(LONG) < 256 * shortest);
    assert!(is_linear, "{LONG} units take more than 256 times as long as {SHORT} units, which take {shortest:?}");
}
