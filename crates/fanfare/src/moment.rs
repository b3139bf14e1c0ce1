//! Times as arguments: in the format of RFC 3339, or as a duration before now.
use crate::quantity::HumanDuration;
use fanfare_hub::entry::Timestamp;
use std::{fmt, str::FromStr};

/// A time as an argument: in the format of RFC 3339, or as a duration before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    Ago(HumanDuration),
}

/// The text is not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidMoment;

impl FromStr for Moment {
    type Err = InvalidMoment;

    fn from_str(text: &str) -> Result<Self, InvalidMoment> {
        if let Ok(ago) = text.parse() {
            return Ok(Self::Ago(ago));
        }
        let time: jiff::Timestamp = text.parse().map_err(|_| InvalidMoment)?;
        Ok(Self::At(Timestamp(u64::try_from(time.as_millisecond()).unwrap_or(0))))
    }
}

impl Moment {
    pub(crate) fn at(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(HumanDuration(ago)) => {
                Timestamp(now.0.saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)))
            }
        }
    }
}

/// Writes the time in the form that [`FromStr`] parses.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ago(ago) => ago.fmt(f),
            Self::At(time) => {
                let ms = i64::try_from(time.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
                ms.unwrap_or(jiff::Timestamp::MAX).fmt(f)
            }
        }
    }
}

impl fmt::Display for InvalidMoment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a time such as 2026-01-31T12:00:00Z, or how long ago it was, such as 90m or 7d")
    }
}

impl std::error::Error for InvalidMoment {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_how_long_ago_it_was() {
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(Moment::At(Timestamp(1_000))));
        let ago = "1s".parse::<Moment>().unwrap();
        assert_eq!((ago.at(Timestamp(5_000)), ago.at(Timestamp(5))), (Timestamp(4_000), Timestamp(0)));
        for text in ["soon", "90", "2026-01-31", ""] {
            assert_eq!(text.parse::<Moment>(), Err(InvalidMoment), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_back_unchanged() {
        let cases = [
            ("90m", "90m"),
            ("1h 30m", "90m"),
            ("2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00Z"),
            ("2026-01-31T12:00:00.25Z", "2026-01-31T12:00:00.25Z"),
            ("1969-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ];
        for (text, written) in cases {
            let moment = text.parse::<Moment>().unwrap();
            assert_eq!(moment.to_string(), written);
            assert_eq!(written.parse(), Ok(moment), "{text}");
        }
    }
}
