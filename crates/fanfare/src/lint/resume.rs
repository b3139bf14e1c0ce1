//! Checks whether a client that reconnects with the ID of an event receives the events after it. For this, the stream
//! is requested again, with the ID of an event of the first response.
use super::{
    finding::{Finding, Rule, Severity, excerpt},
    headers::is_stream,
    observe::Observation,
    recording::Recording,
};
use http::{HeaderValue, StatusCode};
use std::time::Duration;

/// The time, from the head of the second response on, within which an event must arrive.
pub(super) const WAIT: Duration = Duration::from_secs(5);

const REFUSED: Rule = Rule {
    name: "resume-refused",
    severity: Severity::Error,
    why: "browsers send Last-Event-ID whenever they reconnect, and give up for good if the server refuses this request",
    advice: "answer a request with an unknown Last-Event-ID like a request without one",
};
const TWICE: Rule = Rule {
    name: "resume-repeats",
    severity: Severity::Warning,
    why: "Last-Event-ID names the last event that the client has received: the client gets this event, and perhaps \
          earlier ones, again",
    advice: "begin after the event that Last-Event-ID names",
};
const NOT_RESUMED: Rule = Rule {
    name: "resume-ignored",
    severity: Severity::Warning,
    why: "events have IDs, but the server does not send the events after the one that Last-Event-ID names: clients \
          that reconnect miss them",
    advice: "store the newest events, and begin after the event that Last-Event-ID names",
};
const SKIPS: Rule = Rule {
    name: "resume-skips",
    severity: Severity::Warning,
    why: "clients that reconnect miss the events between the one that Last-Event-ID names and the first one that they \
          get",
    advice: "begin directly after the event that Last-Event-ID names",
};

/// Returns the ID to reconnect with: the ID of the last event but one, so that the server has to send one event again,
/// or the ID of the only event that has one. Returns `None` if several events have the returned ID, or if a header
/// cannot contain it.
pub(super) fn cursor(recording: &Recording) -> Option<&str> {
    let ids = ids(recording);
    let id = *ids.get(ids.len().saturating_sub(2))?;
    let is_single = ids.iter().filter(|other| **other == id).count() == 1;
    // Clients do not send Last-Event-ID if the ID is empty, or has characters that a header cannot contain.
    (is_single && !id.is_empty() && HeaderValue::from_bytes(id.as_bytes()).is_ok()).then_some(id)
}

/// Returns a finding about `resumed`, the stream that was requested with `id` as Last-Event-ID, compared with `before`,
/// the stream in which `id` was seen.
pub(super) fn check(before: &Recording, id: &str, resumed: &Observation) -> Option<Finding> {
    let sent = format!("a request with Last-Event-ID: {}", excerpt(id.as_bytes()));
    // With the status 204, a server tells clients that there will be no more events, which is allowed.
    if resumed.head.status == StatusCode::NO_CONTENT {
        return None;
    }
    if !is_stream(resumed) {
        return Some(REFUSED.broken(format!("{sent} was answered with status {}", resumed.head.status)));
    }
    let ids = ids(before);
    let at = ids.iter().position(|other| *other == id)?;
    let first = resumed.recording.events.first();
    let Some(first) = first else {
        // If the event with this ID was the last event with an ID, the server need not send an event.
        let waited = resumed.lasted.as_secs_f64();
        return (at + 1 < ids.len())
            .then(|| NOT_RESUMED.broken(format!("after {sent}, no event arrived in {waited:.1} s")));
    };
    let shown = first.id.as_deref().map_or("no ID".to_owned(), |id| format!("the ID `{}`", excerpt(id.as_bytes())));
    let seen = format!("after {sent}, the first event has {shown}");
    // Events with the same ID may be different events, if the server numbers the events of each connection from 1. They
    // are reported nevertheless, because clients of such a server also miss events or get events twice.
    let came = first.id.as_deref().and_then(|first| ids.iter().position(|other| *other == first));
    match came {
        Some(came) if came <= at => Some(TWICE.broken(seen)),
        Some(came) if came > at + 1 => Some(SKIPS.broken(seen)),
        None if at + 1 < ids.len() => Some(NOT_RESUMED.broken(seen)),
        _ => None,
    }
}

/// Returns the IDs of the events that have an `id` field, in order.
fn ids(recording: &Recording) -> Vec<&str> {
    recording.events.iter().filter_map(|event| event.id.as_deref()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::{finding::tests::names, observe::tests::observed, recording::tests::recorded};

    fn stream(ids: &[&str]) -> Vec<u8> {
        ids.iter().flat_map(|id| format!("id: {id}\ndata: x\n\n").into_bytes()).collect()
    }

    #[test]
    fn one_comes_back_with_the_last_id_but_one() {
        let cases: [(&[&str], Option<&str>); 7] = [
            (&[], None),
            (&["a"], Some("a")),
            (&["a", "b"], Some("a")),
            (&["a", "b", "c"], Some("b")),
            (&["a", "a"], None),
            (&["", "b"], None),
            (&["a\u{c}", "b"], None),
        ];
        for (ids, expected) in cases {
            assert_eq!(cursor(&recorded(&[(0, &stream(ids))])), expected, "{ids:?}");
        }
        assert_eq!(cursor(&recorded(&[(0, b"data: x\n\n")])), None);
    }

    #[test]
    fn what_comes_first_tells_how_it_is_resumed() {
        let cases: [(&[&str], &[&str], &[&str]); 9] = [
            (&["a", "b", "c"], &["c"], &[]),
            (&["a", "b", "c"], &["b"], &["resume-repeats"]),
            (&["a", "b", "c"], &["a", "b"], &["resume-repeats"]),
            (&["a", "b", "c"], &["x"], &["resume-ignored"]),
            (&["a", "b", "c"], &[], &["resume-ignored"]),
            (&["a"], &["a"], &["resume-repeats"]),
            (&["a"], &["b"], &[]),
            (&["a"], &[], &[]),
            (&["a", "b"], &["b", "c"], &[]),
        ];
        for (before, after, expected) in cases {
            let before = recorded(&[(0, &stream(before))]);
            let resumed = observed(&[], &[(0, &stream(after))]);
            assert_eq!(names(check(&before, cursor(&before).unwrap(), &resumed)), expected, "{before:?} {after:?}");
        }
        let before = recorded(&[(0, &stream(&["a", "b", "c", "d"]))]);
        let mut resumed = observed(&[], &[(0, &stream(&["d"]))]);
        assert_eq!(names(check(&before, "b", &resumed)), ["resume-skips"]);
        resumed.head.status = StatusCode::NOT_FOUND;
        assert_eq!(names(check(&before, "b", &resumed)), ["resume-refused"]);
        resumed.head.status = StatusCode::NO_CONTENT;
        assert!(check(&before, "b", &resumed).is_none());
    }
}
