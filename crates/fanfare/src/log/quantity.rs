//! Formats sizes, ages and counts for the output of `fanfare log`: rounded, and with the units that the configuration
//! uses.
use crate::quantity::{ByteSize, HumanDuration};
use std::time::Duration;

/// Returns a size, rounded to a whole number of the largest unit that it contains at least 10 times.
pub(super) fn size(bytes: u64) -> String {
    let unit = [1 << 40, 1 << 30, 1 << 20, 1 << 10].into_iter().find(|unit| bytes >= 10 * unit).unwrap_or(1_u64);
    ByteSize((bytes + unit / 2) / unit * unit).to_string()
}

/// Returns an age, rounded down to a whole number of the largest unit that it contains.
pub(super) fn age(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    let unit = [86_400, 3_600, 60].into_iter().find(|unit| seconds >= *unit).unwrap_or(1);
    HumanDuration(Duration::from_secs(seconds / unit * unit)).to_string()
}

/// Returns a number of updates as text, such as `1 update` or `3 updates`.
pub(super) fn updates(count: u64) -> String {
    if count == 1 { "one update".to_owned() } else { format!("{count} updates") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_digits_count() {
        let sizes = [
            (0, "0B"),
            (10_239, "10239B"),
            (10_240, "10KiB"),
            (16_777_311, "16MiB"),
            (1_600_000, "1563KiB"),
            (20_000_000_000, "19GiB"),
        ];
        for (bytes, shown) in sizes {
            assert_eq!(size(bytes), shown, "{bytes}");
        }
        let ages = [(999, "0s"), (59_999, "59s"), (60_000, "1m"), (7_300_000, "2h"), (90_000_000, "1d")];
        for (milliseconds, shown) in ages {
            assert_eq!(age(milliseconds), shown, "{milliseconds}");
        }
    }
}
