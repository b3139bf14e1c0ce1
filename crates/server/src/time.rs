//! The reading of durations and times in requests.
use fanfare_hub::entry::Timestamp;
use jiff::{Span, SpanRelativeTo};

/// Reads a duration, and returns it in milliseconds. The text is a number of seconds, or consists of numbers with the
/// units `ms`, `s`, `m`, `h`, `d` (24 hours) and `w`. `None` if the text is something else.
pub(crate) fn duration_ms(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse::<u64>() {
        return seconds.checked_mul(1_000);
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    u64::try_from(duration.as_millis()).ok()
}

/// Reads a time, given as a duration before now, or as a time in the format of [RFC
/// 3339](https://www.rfc-editor.org/rfc/rfc3339). `None` if the text is something else.
pub(crate) fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Some(ago_ms) = duration_ms(text) {
        return Some(Timestamp(now.0.saturating_sub(ago_ms)));
    }
    // The `+` of a time zone was decoded as a space if the query did not encode it.
    let time: jiff::Timestamp = text.replace(' ', "+").parse().ok()?;
    Some(Timestamp(u64::try_from(time.as_millisecond()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_times_are_read() {
        let durations = [
            ("10m", Some(600_000)),
            ("90", Some(90_000)),
            ("1h 30m", Some(5_400_000)),
            ("250ms", Some(250)),
            ("7d", Some(604_800_000)),
            ("0", Some(0)),
            ("", None),
            ("-1s", None),
            ("-1", None),
            ("soon", None),
            ("1.5", None),
            ("99999999999999999999", None),
            ("18446744073709551615", None),
        ];
        for (text, expected) in durations {
            assert_eq!(duration_ms(text), expected, "{text}");
        }
        let now = Timestamp(1_000_000);
        let moments = [
            ("10m", Some(400_000)),
            ("1d", Some(0)),
            ("1970-01-01T00:00:01Z", Some(1_000)),
            ("1970-01-01T01:00:01.5+01:00", Some(1_500)),
            ("1970-01-01T01:00:01.5 01:00", Some(1_500)),
            ("1969-01-01T00:00:00Z", Some(0)),
            ("1970-01-01", None),
            ("yesterday", None),
        ];
        for (text, expected) in moments {
            assert_eq!(moment(text, now), expected.map(Timestamp), "{text}");
        }
    }
}
