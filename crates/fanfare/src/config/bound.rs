//! The bounds of the options whose values are quantities: times, sizes and numbers. A value out of bounds is an error,
//! and its message names the bounds. The help of an option shows its bounds.
use crate::quantity::{ByteSize, Count, HumanDuration};
use std::{fmt, str::FromStr, time::Duration};

/// The smallest and the largest value of one option. `off`, where the option allows it, is always within the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Time(HumanDuration, HumanDuration),
    Bytes(ByteSize, ByteSize),
    Count(Count, Count),
}

/// The number of seconds in a day.
pub(super) const DAY_S: u64 = 86_400;
/// The largest whole number that a TOML file can contain.
pub(super) const COUNT_MAX: u64 = i64::MAX as u64;

/// Returns the bounds of an option that is a time: from `least_s` to `most_s` seconds.
pub(super) const fn time(least_s: u64, most_s: u64) -> Bound {
    Bound::Time(HumanDuration(Duration::from_secs(least_s)), HumanDuration(Duration::from_secs(most_s)))
}

/// Returns the bounds of an option that is a size: from `least` to `most` bytes.
pub(super) const fn bytes(least: u64, most: u64) -> Bound {
    Bound::Bytes(ByteSize(least), ByteSize(most))
}

/// Returns the bounds of an option that is a number: from `least` to `most`.
pub(super) const fn count(least: u64, most: u64) -> Bound {
    Bound::Count(Count(least), Count(most))
}

impl Bound {
    /// Returns true if `text`, a value as the configuration file contains it, is within the bounds.
    pub(crate) fn admits(&self, text: &str) -> bool {
        fn within<T: FromStr + PartialOrd>(text: &str, least: T, most: T) -> bool {
            text.parse().is_ok_and(|value| (least..=most).contains(&value))
        }
        text == "off"
            || match *self {
                Self::Time(least, most) => within(text, least, most),
                Self::Bytes(least, most) => within(text, least, most),
                Self::Count(least, most) => within(text, least, most),
            }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(least, most) => write!(f, "{least} to {most}"),
            Self::Bytes(least, most) => write!(f, "{least} to {most}"),
            Self::Count(least, most) => write!(f, "{least} to {most}"),
        }
    }
}
