//! Checks how a stream is written: its characters, its line ends, the blank lines between events, and how the stream
//! ends.
use super::{
    finding::{Finding, Rule, Severity, count, is_begun},
    lines::{BYTE_ORDER_MARK, Line, LineEnd, first_of, lines},
    observe::{End, Observation},
};
use std::time::Duration;

/// The time after which an event whose blank line has not arrived counts as unfinished.
const BLOCK_WAIT: Duration = Duration::from_secs(2);
/// The smallest number of `data` lines with which a stream without blank lines is reported even before `BLOCK_WAIT` has
/// passed: it probably has several events, and their blank lines are missing. With fewer lines, the stream may have one
/// event that has not yet arrived completely.
const ENDLESS_LINES: usize = 3;
/// The largest data of an event, in bytes, that does not cause a note.
const LARGE_DATA_BYTES: usize = 1 << 20;

const MARK: Rule = Rule {
    name: "byte-order-mark",
    severity: Severity::Note,
    why: "browsers ignore a byte order mark at the beginning of the stream; but if the server writes another one \
          later, browsers ignore the whole line after it",
    advice: "write UTF-8 without a byte order mark",
};
const LATER_MARK: Rule = Rule {
    name: "byte-order-mark-later",
    severity: Severity::Error,
    why: "browsers skip a byte order mark only at the beginning of the stream: here it is part of the field's name, so \
          browsers ignore the line",
    advice: "write UTF-8 without a byte order mark; some libraries add one for each new writer",
};
const NOT_UTF8: Rule = Rule {
    name: "not-utf-8",
    severity: Severity::Error,
    why: "event streams are always UTF-8, whatever the headers say: browsers replace these bytes by U+FFFD",
    advice: "encode everything as UTF-8, and do not cut characters in two",
};
const LINE_ENDS: Rule = Rule {
    name: "line-ends",
    severity: Severity::Note,
    why: "CR LF and CR are allowed as well as LF; simple readers of event streams know only LF, or read CR LF CR LF as \
          one line end",
    advice: "end all lines with LF",
};
const UNFINISHED: Rule = Rule {
    name: "event-unfinished",
    severity: Severity::Error,
    why: "a page gets an event only when the blank line after it has arrived; without this line, the event is lost \
          when the stream ends",
    advice: "send a blank line after each event: one line end after the last field, and another one",
};
const LARGE: Rule = Rule {
    name: "event-large",
    severity: Severity::Note,
    why: "the page gets this event, and all events after it, only when the last byte of this event has arrived",
    advice: "send the URL of the data instead, or send the data in several events",
};
const BROKEN: Rule = Rule {
    name: "connection-broken",
    severity: Severity::Warning,
    why: "the response stopped before its end: perhaps a server or a proxy crashed, or it closes responses that take \
          long",
    advice: "check the time limits of the server and of proxies; end streams properly when the server stops",
};
const CLOSED: Rule = Rule {
    name: "connection-closed",
    severity: Severity::Warning,
    why: "browsers reconnect after 3 to 5 seconds, or after the time in `retry`: a response that ends after a few \
          events is polling",
    advice: "keep the response open for minutes at least, and flush after each event",
};

/// All checks of this module, which show how the stream is written.
pub(super) const CHECKS: [fn(&Observation) -> Option<Finding>; 8] =
    [mark, later_mark, not_utf8, line_ends, unfinished, large, broken, closed];

fn mark(observation: &Observation) -> Option<Finding> {
    let begins = observation.recording.bytes.starts_with(BYTE_ORDER_MARK);
    begins.then(|| MARK.broken("the stream begins with the bytes ef bb bf"))
}

fn later_mark(observation: &Observation) -> Option<Finding> {
    let marked = lines(&observation.recording.bytes).filter(|line| line.text.starts_with(BYTE_ORDER_MARK));
    let place = |line: Line<'_>| format!("the bytes ef bb bf are before line {}, at byte {}", line.number, line.offset);
    first_of(marked, place).map(|seen| LATER_MARK.broken(seen))
}

fn not_utf8(observation: &Observation) -> Option<Finding> {
    let mut offset = 0;
    let places = observation.recording.bytes.utf8_chunks().filter_map(|part| {
        offset += part.valid().len();
        let at = offset;
        offset += part.invalid().len();
        // The observation may have stopped in the middle of a character, so incomplete bytes at the end are no fault.
        let is_cut = offset == observation.recording.bytes.len() && is_begun(part.invalid());
        (!part.invalid().is_empty() && !is_cut).then(|| (part.invalid(), at))
    });
    let place = |(bytes, at): (&[u8], usize)| format!("the bytes {bytes:02x?} at byte {at} are not UTF-8");
    first_of(places, place).map(|seen| NOT_UTF8.broken(seen))
}

fn line_ends(observation: &Observation) -> Option<Finding> {
    let mut counts = [0; 3];
    for line in lines(&observation.recording.bytes) {
        match line.end {
            LineEnd::Lf => counts[0] += 1,
            LineEnd::CrLf => counts[1] += 1,
            LineEnd::Cr => counts[2] += 1,
            LineEnd::Missing => {}
        }
    }
    let named = counts.iter().zip(["LF", "CR LF", "CR"]).filter(|(count, _)| **count > 0);
    let shown: Vec<_> = named.map(|(count, name)| format!("{count} lines end with {name}")).collect();
    (counts[1] + counts[2] > 0).then(|| LINE_ENDS.broken(shown.join(", ")))
}

fn unfinished(observation: &Observation) -> Option<Finding> {
    let recording = &observation.recording;
    let block = recording.unfinished().filter(|block| block.data_lines > 0)?;
    let waited = observation.lasted.saturating_sub(recording.arrivals.last()?.at);
    let endless = recording.events.is_empty() && block.data_lines >= ENDLESS_LINES;
    let then = match observation.end {
        End::Closed => "and the stream ended before its blank line".to_owned(),
        End::Broken(_) | End::Stopped if waited >= BLOCK_WAIT => {
            format!("and then nothing arrived for {:.1} s", waited.as_secs_f64())
        }
        End::Stopped if endless => "and the stream has no blank line".to_owned(),
        _ => return None,
    };
    let lines = count(block.data_lines, "line");
    Some(UNFINISHED.broken(format!(
        "the event that begins in line {} (byte {}) has {lines} of data, {then}",
        block.number, block.offset
    )))
}

fn large(observation: &Observation) -> Option<Finding> {
    let sizes = observation.recording.events.iter().map(|event| event.data_bytes);
    let largest = sizes.max().filter(|largest| *largest > LARGE_DATA_BYTES)?;
    Some(LARGE.broken(format!("an event has {largest} bytes of data")))
}

fn broken(observation: &Observation) -> Option<Finding> {
    match &observation.end {
        End::Broken(error) => {
            Some(BROKEN.broken(format!("the connection broke after {}: {error}", passed(observation))))
        }
        _ => None,
    }
}

fn closed(observation: &Observation) -> Option<Finding> {
    (observation.end == End::Closed)
        .then(|| CLOSED.broken(format!("the server ended the response after {}", passed(observation))))
}

fn passed(observation: &Observation) -> String {
    let events = count(observation.recording.events.len(), "event");
    format!("{:.1} s and {events}", observation.lasted.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{finding::tests::names, observe::tests::observed};

    fn found(end: End, lasted_ms: u64, stream: &[u8]) -> Vec<&'static str> {
        let mut observation = observed(&[], &[(0, stream)]);
        (observation.end, observation.lasted) = (end, Duration::from_millis(lasted_ms));
        names(CHECKS.iter().filter_map(|check| check(&observation)))
    }

    #[test]
    fn each_check_has_its_stream() {
        let cases: [(&[u8], &[&str]); 11] = [
            ("data: é\n\n:\n\n".as_bytes(), &[]),
            ("\u{feff}data: x\n\n".as_bytes(), &["byte-order-mark"]),
            ("\u{feff}\u{feff}data: x\n\n".as_bytes(), &["byte-order-mark", "byte-order-mark-later"]),
            ("data: x\n\n\u{feff}data: y\n\n".as_bytes(), &["byte-order-mark-later"]),
            (b"data: caf\xe9\n\n", &["not-utf-8"]),
            // The observation stopped within a character.
            (b"data: x\n\ndata: caf\xc3", &[]),
            (b"data: x\r\n\r\n", &["line-ends"]),
            (b"data: x\r\r", &["line-ends"]),
            // The blank line may still arrive.
            (b"data: x\n\ndata: y\n", &[]),
            (b"data: x\ndata: y\n", &[]),
            (b"data: x\ndata: y\ndata: z\n", &["event-unfinished"]),
        ];
        for (stream, expected) in cases {
            assert_eq!(found(End::Stopped, 1_000, stream), expected, "{:?}", stream.escape_ascii().to_string());
        }
        let large = |bytes| format!("data: {}\n\n", "x".repeat(bytes));
        assert!(found(End::Stopped, 0, large(LARGE_DATA_BYTES).as_bytes()).is_empty());
        assert_eq!(found(End::Stopped, 0, large(LARGE_DATA_BYTES + 1).as_bytes()), ["event-large"]);
    }

    #[test]
    fn what_stands_without_a_blank_line_is_thrown_away() {
        let stream = b"data: x\n\ndata: y\n";
        assert!(found(End::Stopped, 1_999, stream).is_empty());
        assert_eq!(found(End::Stopped, 2_000, stream), ["event-unfinished"]);
        assert_eq!(found(End::Closed, 0, stream), ["event-unfinished", "connection-closed"]);
        assert_eq!(found(End::Closed, 0, b"data: x\n\n"), ["connection-closed"]);
        // The connection broke, so it is not the server that left the event unfinished.
        assert_eq!(found(End::Broken("reset".into()), 0, stream), ["connection-broken"]);
    }

    #[test]
    fn the_place_of_what_is_no_utf8_is_told() {
        let finding = not_utf8(&observed(&[], &[(0, b"data: caf\xe9!\xff\n\n")])).unwrap();
        assert_eq!(finding.seen, "the bytes [e9] at byte 9 are not UTF-8; and 1 more");
    }
}
