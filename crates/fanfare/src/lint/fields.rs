//! Checks the fields of events: finds those that browsers ignore, and those that mean something else to browsers than
//! the server probably intended.
use super::{
    finding::{Finding, Rule, Severity, count},
    lines::{BYTE_ORDER_MARK, Content, Line, first_of, lines},
    recording::Recording,
};

const NAMES: [&[u8]; 4] = [b"data", b"event", b"id", b"retry"];
/// The usual values of `retry`, in milliseconds.
const USUAL_RETRY_MS: std::ops::RangeInclusive<u64> = 1_000..=3_600_000;
/// The types of the events by which an EventSource tells a page that its connection was opened or lost.
const OWN_TYPES: [&str; 2] = ["error", "open"];

const NEAR_MISS: Rule = Rule {
    name: "field-name-near-miss",
    severity: Severity::Error,
    why: "field names are compared byte by byte: browsers ignore this line, and its content is lost",
    advice: "write the name in lower case, at the beginning of the line, with the colon directly after it",
};
const UNKNOWN: Rule = Rule {
    name: "unknown-field",
    severity: Severity::Warning,
    why: "the only fields are data, event, id and retry; browsers ignore all others. A line break inside of the data \
          also causes lines with unknown fields",
    advice: "send a `data:` line for each line of the data, and put into the data what other fields contain",
};
const RETRY_NO_NUMBER: Rule = Rule {
    name: "retry-no-number",
    severity: Severity::Warning,
    why: "browsers ignore a retry that does not consist of digits, and reconnect after their default of 3 to 5 seconds",
    advice: "send milliseconds, only digits, such as `retry: 5000`",
};
const RETRY_UNUSUAL: Rule = Rule {
    name: "retry-unusual",
    severity: Severity::Warning,
    why: "retry is in milliseconds. Below a second, lost connections cause very many requests; above an hour, nobody \
          waits so long",
    advice: "send a value between `retry: 1000` and `retry: 3600000`",
};
const WITHOUT_DATA: Rule = Rule {
    name: "event-without-data",
    severity: Severity::Warning,
    why: "browsers drop an event that has a type and no data: listeners do not get it",
    advice: "send at least an empty `data:` line",
};
const OWN_TYPE: Rule = Rule {
    name: "event-type-of-the-connection",
    severity: Severity::Warning,
    why: "an EventSource reports changes of its connection as events of the types `open` and `error`; listeners cannot \
          distinguish yours from these",
    advice: "give your event another type than `open` and `error`",
};

/// All checks of fields.
pub(super) const CHECKS: [fn(&Recording) -> Option<Finding>; 6] =
    [near_miss, unknown, retry_no_number, retry_unusual, without_data, own_type];

fn near_miss(recording: &Recording) -> Option<Finding> {
    let missed = |line: &Line<'_>| line.field().is_some_and(|(name, _)| is_near_miss(name));
    shown(recording, missed).map(|seen| NEAR_MISS.broken(seen))
}

fn unknown(recording: &Recording) -> Option<Finding> {
    let unknown = |line: &Line<'_>| line.field().is_some_and(|(name, _)| !NAMES.contains(&name) && !is_near_miss(name));
    shown(recording, unknown).map(|seen| UNKNOWN.broken(seen))
}

fn retry_no_number(recording: &Recording) -> Option<Finding> {
    let wrong = |line: &Line<'_>| retry(line).is_some_and(|value| value.is_empty() || !is_digits(value));
    shown(recording, wrong).map(|seen| RETRY_NO_NUMBER.broken(seen))
}

fn retry_unusual(recording: &Recording) -> Option<Finding> {
    let unusual = |line: &Line<'_>| {
        // A number that is too large for the integer type counts as unusual.
        let number = |value: &[u8]| str::from_utf8(value).ok()?.parse().ok();
        let digits = retry(line).filter(|value| !value.is_empty() && is_digits(value));
        digits.is_some_and(|value| !number(value).is_some_and(|ms| USUAL_RETRY_MS.contains(&ms)))
    };
    shown(recording, unusual).map(|seen| RETRY_UNUSUAL.broken(seen))
}

fn without_data(recording: &Recording) -> Option<Finding> {
    let (mut typed, mut has_data) = (None, false);
    let blocks = lines(&recording.bytes).filter_map(|line| {
        match line.content() {
            Content::Blank => {
                let typed = typed.take();
                return if std::mem::take(&mut has_data) { None } else { typed };
            }
            Content::Field { name: b"event", .. } => {
                typed.get_or_insert(line);
            }
            Content::Field { name: b"data", .. } => has_data = true,
            _ => {}
        }
        None
    });
    first_of(blocks, |line| line.to_string()).map(|seen| WITHOUT_DATA.broken(seen))
}

fn own_type(recording: &Recording) -> Option<Finding> {
    let mut events = recording.events.iter().filter(|event| OWN_TYPES.contains(&event.event_type.as_str()));
    let first = events.next()?;
    Some(OWN_TYPE.broken(format!("{} of the type `{}`", count(1 + events.count(), "event"), first.event_type)))
}

/// Returns a text with the first line for which `is_so` is true and the number of further such lines; `None` if there
/// is no such line.
fn shown(recording: &Recording, is_so: impl Fn(&Line<'_>) -> bool) -> Option<String> {
    first_of(lines(&recording.bytes).filter(is_so), |line| line.to_string())
}

fn retry<'a>(line: &Line<'a>) -> Option<&'a [u8]> {
    line.field().filter(|(name, _)| *name == b"retry").map(|(_, value)| value)
}

fn is_digits(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_digit)
}

/// Returns true if `name` is not the name of a field, but was probably meant to be one (`data`, `event`, `id` or
/// `retry`).
fn is_near_miss(name: &[u8]) -> bool {
    // A name of more than 16 bytes is not a mistyped name of a field.
    if NAMES.contains(&name) || name.len() > 16 {
        return false;
    }
    // White space around the name, and a byte order mark before it, are removed before the comparison.
    let trimmed = name.trim_ascii().to_ascii_lowercase();
    let bare = trimmed.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&trimmed);
    // A difference of one byte is not allowed for `id`: too many other names differ from it by one byte.
    NAMES.iter().any(|known| bare == *known || (known.len() > 2 && differs_by_one(bare, known)))
}

/// Returns true if `a` is `b` with one byte added, removed or replaced, or with two neighbouring bytes swapped.
fn differs_by_one(a: &[u8], b: &[u8]) -> bool {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Less => a == &b[1..],
        std::cmp::Ordering::Greater => &a[1..] == b,
        std::cmp::Ordering::Equal => {
            a.get(1..) == b.get(1..) || (a.len() > 1 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{finding::tests::names, recording::tests::recorded};

    #[test]
    fn each_check_has_its_stream() {
        let cases: [(&str, &[&str]); 21] = [
            ("event: e\nid: 1\nretry: 1000\ndata: x\n\n:\n\n", &[]),
            ("retry: 3600000\n\nid\n\ndata\n\n", &[]),
            ("Data: x\n\n", &["field-name-near-miss"]),
            (" data: x\n\n", &["field-name-near-miss"]),
            ("date: x\n\n", &["field-name-near-miss"]),
            ("data : x\n\n", &["field-name-near-miss"]),
            ("dta: x\nevents: y\n\n", &["field-name-near-miss"]),
            ("ID: x\n\n", &["field-name-near-miss"]),
            ("ip: x\n\n", &["unknown-field"]),
            ("type: x\n\n", &["unknown-field"]),
            ("data: {\n  \"a\": 1\n}\n\n", &["unknown-field"]),
            ("xyz", &[]),
            ("retry: 5s\n\n", &["retry-no-number"]),
            ("retry: +5000\n\n", &["retry-no-number"]),
            ("retry\n\n", &["retry-no-number"]),
            ("retry: 0\n\n", &["retry-unusual"]),
            ("retry: 999\n\n", &["retry-unusual"]),
            ("retry: 3600001\n\n", &["retry-unusual"]),
            ("retry: 99999999999999999999999\n\n", &["retry-unusual"]),
            ("event: ping\n\nevent: x\ndata: y\n\n", &["event-without-data"]),
            ("event: error\ndata: y\n\n", &["event-type-of-the-connection"]),
        ];
        for (stream, expected) in cases {
            let recording = recorded(&[(0, stream.as_bytes())]);
            assert_eq!(names(CHECKS.iter().filter_map(|check| check(&recording))), expected, "{stream:?}");
        }
    }

    #[test]
    fn the_place_and_the_number_are_told() {
        let recording = recorded(&[(0, b"data: x\n\nData: y\n\nDATA: z\n\n")]);
        assert_eq!(near_miss(&recording).unwrap().seen, "`Data: y` in line 3, at byte 9; and 1 more");
    }
}
