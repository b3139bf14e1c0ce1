//! Checks whether a client can resume the stream with the IDs of its events.
use super::{
    finding::{Finding, Rule, Severity, count, excerpt},
    lines::{Content, Line, LineEnd, first_of, lines},
    recording::Recording,
};
use std::collections::HashSet;

/// The length of the longest ID, in bytes, that every server certainly accepts in a header. Many servers refuse
/// requests with more than 4 or 8 KiB of headers.
const MAX_USUAL_ID_BYTES: usize = 1024;

const NONE: Rule = Rule {
    name: "no-ids",
    severity: Severity::Note,
    why: "without IDs, a browser that reconnects cannot say which events it has received; it misses the events that \
          were sent while it was not connected",
    advice: "give each event an `id:`, and begin after the event in Last-Event-ID when a client reconnects",
};
const SOME: Rule = Rule {
    name: "ids-missing",
    severity: Severity::Warning,
    why: "an event without an ID does not change the last event ID: a client that resumes gets this event twice, or \
          never",
    advice: "give every event an ID, or none",
};
const SEVERAL_EVENTS: Rule = Rule {
    name: "id-of-several-events",
    severity: Severity::Warning,
    why: "an ID tells the server after which event to continue; if several events have the same ID, it cannot \
          know after which",
    advice: "give each event its own ID",
};
const TWICE: Rule = Rule {
    name: "id-twice-in-an-event",
    severity: Severity::Warning,
    why: "if an event has several IDs, browsers use the last one and ignore the others",
    advice: "send one `id:` per event",
};
const NUL: Rule = Rule {
    name: "id-with-nul",
    severity: Severity::Error,
    why: "browsers ignore an ID that contains the character NUL, and keep the previous ID",
    advice: "do not use NUL in IDs",
};
const LONG: Rule = Rule {
    name: "id-long",
    severity: Severity::Warning,
    why: "browsers send the ID back in the header Last-Event-ID, and servers and proxies refuse requests with heads of \
          more than a few KiB",
    advice: "make IDs shorter",
};

/// All checks of IDs.
pub(super) const CHECKS: [fn(&Recording) -> Option<Finding>; 6] = [none, some, several_events, twice, nul, long];

fn none(recording: &Recording) -> Option<Finding> {
    let events = &recording.events;
    let none = !events.is_empty() && ids(recording).next().is_none();
    none.then(|| NONE.broken(format!("{} without an ID", count(events.len(), "event"))))
}

fn some(recording: &Recording) -> Option<Finding> {
    let (all, with) = (recording.events.len(), recording.events.iter().filter(|event| event.id.is_some()).count());
    (with > 0 && with < all).then(|| SOME.broken(format!("{} of {} without an ID", all - with, count(all, "event"))))
}

fn several_events(recording: &Recording) -> Option<Finding> {
    let mut known = HashSet::new();
    let repeated = recording.events.iter().filter_map(|event| event.id.as_deref()).filter(|id| !known.insert(*id));
    let shown = first_of(repeated, |id| format!("a later event has the ID `{}` again", excerpt(id.as_bytes())));
    shown.map(|seen| SEVERAL_EVENTS.broken(seen))
}

fn twice(recording: &Recording) -> Option<Finding> {
    let mut has_id = false;
    let again = lines(&recording.bytes).filter(|line| match line.content() {
        Content::Blank => {
            has_id = false;
            false
        }
        Content::Field { name: b"id", .. } => std::mem::replace(&mut has_id, true),
        _ => false,
    });
    first_of(again, |line| line.to_string()).map(|seen| TWICE.broken(seen))
}

fn nul(recording: &Recording) -> Option<Finding> {
    let lines = ids(recording).filter(|(_, id)| id.contains(&0));
    first_of(lines, |(line, _)| line.to_string()).map(|seen| NUL.broken(seen))
}

fn long(recording: &Recording) -> Option<Finding> {
    let lines = ids(recording).filter(|(_, id)| id.len() > MAX_USUAL_ID_BYTES);
    first_of(lines, |(line, id)| format!("{line} has an ID of {} bytes", id.len())).map(|seen| LONG.broken(seen))
}

/// Iterates over all `id` fields whose lines have arrived completely.
fn ids(recording: &Recording) -> impl Iterator<Item = (Line<'_>, &[u8])> {
    lines(&recording.bytes).filter(|line| line.end != LineEnd::Missing).filter_map(|line| match line.field()? {
        (b"id", value) => Some((line, value)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{finding::tests::names, recording::tests::recorded};

    #[test]
    fn each_check_has_its_stream() {
        let long = |bytes| format!("id: {}\ndata: x\n\n", "x".repeat(bytes));
        let cases: [(&str, &[&str]); 11] = [
            (":\n\n", &[]),
            ("id: 1\ndata: x\n\nid: 2\ndata: y\n\n", &[]),
            // A block with an ID and no data says where the stream begins. It is not an event.
            ("id: 0\n\nid: 1\ndata: x\n\n", &[]),
            ("data: x\n\n", &["no-ids"]),
            ("id: 1\ndata: x\n\ndata: y\n\n", &["ids-missing"]),
            ("id: 0\n\ndata: x\n\n", &[]),
            ("id: 1\ndata: x\n\nid: 1\ndata: y\n\n", &["id-of-several-events"]),
            ("id: 1\nid: 2\ndata: x\n\nid: 3\ndata: y\n\n", &["id-twice-in-an-event"]),
            ("id: 1\0\ndata: x\n\n", &["id-with-nul"]),
            (&long(MAX_USUAL_ID_BYTES), &[]),
            (&long(MAX_USUAL_ID_BYTES + 1), &["id-long"]),
        ];
        for (stream, expected) in cases {
            let recording = recorded(&[(0, stream.as_bytes())]);
            assert_eq!(names(CHECKS.iter().filter_map(|check| check(&recording))), expected, "{stream:?}");
        }
    }
}
