//! How far the quantities may go. A value beyond is an error that names the bound; the help shows it from here.
use crate::quantity::{ByteSize, HumanDuration};
use std::{fmt, str::FromStr, time::Duration};

/// The least and the most that one option may be. `off`, where it is allowed, is within every bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    /// The option's key.
    pub key: &'static str,
    range: Range,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Time(HumanDuration, HumanDuration),
    Bytes(ByteSize, ByteSize),
    Count(u64, u64),
}

const DAY_S: u64 = 86_400;
/// The largest whole number of a TOML file.
const COUNT_MAX: u64 = i64::MAX as u64;

const BOUNDS: [Bound; 11] = [
    // Shorter only burns network; longer than an hour no proxy waits.
    time("heartbeat-interval", 1, 3_600),
    // Shorter is a reconnect storm of one's own making.
    time("max-lifetime", 10, 365 * DAY_S),
    // A body is held in memory whole, and is at most half of what waits for the log (32 MiB).
    bytes("max-body", 1 << 10, 16 << 20),
    // Linux gives out no more descriptors than 2^30; a million is what a large machine carries.
    count("max-subscribers", 1, 10_000_000),
    // Each topic of a subscription is an entry in the router.
    count("max-topics", 1, 10_000),
    // No machine has more cores.
    count("delivery-threads", 1, 1_024),
    // Shorter gives up peers behind a network that loses packets; after an hour nobody waits for them.
    time("write-timeout", 1, 3_600),
    // Shorter makes every request connect anew; nobody comes back to a connection after an hour.
    time("keep-alive-timeout", 1, 3_600),
    time("retention-age", 1, 100 * 365 * DAY_S),
    // The least holds at least some updates of the usual size.
    bytes("retention-bytes", 1 << 20, 1 << 50),
    count("retention-count", 1, COUNT_MAX),
];

const fn time(key: &'static str, least_s: u64, most_s: u64) -> Bound {
    let [least, most] = [HumanDuration(Duration::from_secs(least_s)), HumanDuration(Duration::from_secs(most_s))];
    Bound { key, range: Range::Time(least, most) }
}

const fn bytes(key: &'static str, least: u64, most: u64) -> Bound {
    Bound { key, range: Range::Bytes(ByteSize(least), ByteSize(most)) }
}

const fn count(key: &'static str, least: u64, most: u64) -> Bound {
    Bound { key, range: Range::Count(least, most) }
}

impl Bound {
    /// The bound of the option `key`, if it has one.
    pub(crate) fn of(key: &str) -> Option<Self> {
        BOUNDS.into_iter().find(|bound| bound.key == key)
    }

    /// Returns true if a value, written as in the file, keeps to the bound.
    pub(crate) fn admits(&self, text: &str) -> bool {
        fn within<T: FromStr + PartialOrd>(text: &str, least: T, most: T) -> bool {
            text.parse().is_ok_and(|value| (least..=most).contains(&value))
        }
        text == "off"
            || match self.range {
                Range::Time(least, most) => within(text, least, most),
                Range::Bytes(least, most) => within(text, least, most),
                Range::Count(least, most) => within(text, least, most),
            }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.range {
            Range::Time(least, most) => write!(f, "{least} to {most}"),
            Range::Bytes(least, most) => write!(f, "{least} to {most}"),
            Range::Count(least, COUNT_MAX) => write!(f, "at least {least}"),
            Range::Count(least, most) => write!(f, "{least} to {most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_up_to_the_bound_are_admitted_and_none_beyond() {
        let cases = [
            ("heartbeat-interval", "999ms", "1s", "1h", "3601s"),
            ("max-lifetime", "9s", "10s", "365d", "366d"),
            ("max-body", "1023", "1KiB", "16MiB", "16777217"),
            ("max-subscribers", "0", "1", "10000000", "10000001"),
            ("max-topics", "0", "1", "10000", "10001"),
            ("delivery-threads", "0", "1", "1024", "1025"),
            ("write-timeout", "999ms", "1s", "1h", "3601s"),
            ("keep-alive-timeout", "999ms", "1s", "1h", "3601s"),
            ("retention-age", "0s", "1s", "36500d", "36501d"),
            ("retention-bytes", "1048575", "1MiB", "1024TiB", "1025TiB"),
            ("retention-count", "0", "1", "9223372036854775807", "9223372036854775808"),
        ];
        assert_eq!(cases.len(), BOUNDS.len());
        for (key, below, least, most, above) in cases {
            let bound = Bound::of(key).unwrap();
            let admitted = [below, least, most, above].map(|text| bound.admits(text));
            assert_eq!(admitted, [false, true, true, false], "{key}: {bound}");
        }
    }
}
