//! The cursor: the parameter or header in which a subscriber names the event that it saw last, and the headers in which
//! the answer names the position where the stream continues.
//!
//! The header has priority over the URL. When a browser reconnects by itself, the URL still has the cursor with which
//! the page began, and the header has the newest cursor. A client that cannot set headers appends its newest cursor to
//! the URL instead, so the last of several cursors in a query counts. An empty cursor is ignored everywhere.
//!
//! A cursor stands for a position in the log, or the subscriber is told of a gap. It is never an error, since an
//! EventSource never reconnects after an error status.
use crate::{
    form::{Form, InvalidForm, latin_1},
    problem::Problem,
    time,
};
use fanfare_hub::{entry::Timestamp, rewind::MAX_REWIND, subscription::Start, topic::forbidden_character};
use http::{HeaderMap, HeaderName, Uri};

/// The request header in which an EventSource sends its last event ID. In Mercure's older revision, it is also the
/// response header that names the position where the stream begins.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The response header that names the position where the stream begins, in Mercure's newer revision.
pub const MERCURE_LAST_EVENT_ID: HeaderName = HeaderName::from_static("mercure-last-event-id");

/// The names of query parameters that carry a cursor. Names are compared in lower case and without `-` and `_`. The
/// first one covers `last_event_id` of Mercure's newer revision, `lastEventID` of its older one, `Last-Event-ID` of
/// Mercure hubs before version 0.14, and `lastEventId` of event-source-polyfill. The second one is `evs_last_event_id`
/// of amvtek's EventSource.
const PARAMETERS: [&[u8]; 2] = [b"lasteventid", b"evslasteventid"];

/// The cursor of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The position at which the subscription starts.
    pub start: Start,
    /// True if the request has a cursor at all, even an empty one. The answer then names the position at which the
    /// stream begins.
    pub asked: bool,
}

impl Cursor {
    /// Reads the cursor of a request from its header, or else from its forms: the query string, and the body of a
    /// `QUERY`.
    #[must_use]
    pub fn of(headers: &HeaderMap, forms: &[&Form]) -> Self {
        let in_header = headers.get_all(LAST_EVENT_ID).iter().rfind(|value| !value.is_empty());
        let in_forms = || forms.iter().find_map(|form| last_of(form));
        let start = match in_header {
            Some(value) => of_bytes(value.as_bytes()),
            None => in_forms().map_or(Start::Now, |id| Start::After(id.to_owned())),
        };
        let asked = headers.contains_key(LAST_EVENT_ID)
            || forms.iter().any(|form| form.iter().any(|(name, _)| carries_a_cursor(name)));
        Self { start, asked }
    }
}

impl Cursor {
    /// Returns this cursor if it has a last event ID, and otherwise a cursor with the start that a form names. With
    /// `last=N`, the subscription starts at the newest N updates of each of its topics and patterns; `topics` is the
    /// number of these topics and patterns. With `since=…`, it starts at a time. If a form names both, `last` decides.
    ///
    /// # Errors
    /// [`Problem`] if a form has another value for `last` or `since`.
    pub(crate) fn or_rewind(mut self, forms: &[&Form], topics: usize, now: Timestamp) -> Result<Self, Problem> {
        let said = |name| forms.iter().find_map(|form| form.get(name)).filter(|value| !value.is_empty());
        let last = said("last").map(|count| newest(count, topics)).transpose()?;
        let since = said("since").map(|text| time::moment(text, now).map(Start::Since).ok_or(Problem::Since));
        let rewind = last.or(since.transpose()?);
        if self.start == Start::Now {
            self.start = rewind.unwrap_or(Start::Now);
        }
        Ok(self)
    }
}

fn newest(count: &str, topics: usize) -> Result<Start, Problem> {
    let limit = MAX_REWIND;
    let count: usize = count.parse().map_err(|_| Problem::Last { limit })?;
    if count.saturating_mul(topics) > limit { Err(Problem::Last { limit }) } else { Ok(Start::Newest(count)) }
}

/// Reads the query string of a request that subscribes, as a form. The values of cursors may be any bytes.
///
/// # Errors
/// [`InvalidForm`] for an error in any field that is not a cursor.
pub fn query_of(uri: &Uri) -> Result<Form, InvalidForm> {
    form(uri.query().unwrap_or_default().as_bytes())
}

/// Reads the body of a `QUERY` request in the same way as [`query_of`] reads a query string.
///
/// # Errors
/// [`InvalidForm`] for an error in any field that is not a cursor.
pub fn form(bytes: &[u8]) -> Result<Form, InvalidForm> {
    Form::parse_with(bytes, carries_a_cursor)
}

/// Returns the last cursor in a form that is not an empty text; `None` if there is none.
fn last_of(form: &Form) -> Option<&str> {
    form.iter().filter(|(name, value)| !value.is_empty() && carries_a_cursor(name)).last().map(|(_, value)| value)
}

fn carries_a_cursor(name: &str) -> bool {
    let letters = || name.bytes().filter(|byte| !matches!(byte, b'-' | b'_')).map(|byte| byte.to_ascii_lowercase());
    PARAMETERS.iter().any(|parameter| letters().eq(parameter.iter().copied()))
}

/// Reads the bytes of a `Last-Event-ID` header. Browsers send an ID in UTF-8, clients on Node in Latin-1. Bytes that
/// are valid UTF-8 are most likely UTF-8. But if the log has no such ID, it may have the ID that these bytes mean in
/// Latin-1.
fn of_bytes(bytes: &[u8]) -> Start {
    let in_latin_1 = || latin_1(bytes);
    match str::from_utf8(bytes) {
        Ok(id) if id.is_ascii() => Start::After(id.to_owned()),
        Ok(id) => match in_latin_1() {
            // Read as Latin-1, the bytes contain a character that no ID may contain, so only the ID in UTF-8 is looked
            // for.
            other if forbidden_character(&other).is_some() => Start::After(id.to_owned()),
            other => Start::AfterEither(id.to_owned(), other),
        },
        Err(_) => Start::After(in_latin_1()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn cursor(header: Option<&[u8]>, query: &str, body: &str) -> Cursor {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(LAST_EVENT_ID, HeaderValue::from_bytes(value).unwrap());
        }
        Cursor::of(&headers, &[&form(query.as_bytes()).unwrap(), &form(body.as_bytes()).unwrap()])
    }

    fn after(id: &str) -> Start {
        Start::After(id.to_owned())
    }

    #[test]
    fn the_header_beats_every_parameter() {
        let cases: [(Option<&[u8]>, &str, Start, bool); 10] = [
            (None, "topic=a", Start::Now, false),
            (None, "last_event_id=", Start::Now, true),
            (Some(b""), "", Start::Now, true),
            (Some(b""), "last_event_id=1", after("1"), true),
            (Some(b"9"), "last_event_id=1", after("9"), true),
            (None, "Last-Event-ID=3&lastEventID=2&last_event_id=1", after("1"), true),
            (None, "last_event_id=1&lastEventId=2", after("2"), true),
            (None, "lastEventId=2&last_event_id=&x=3", after("2"), true),
            (None, "lasteventid=3", after("3"), true),
            ("…".as_bytes().into(), "last_event_id=1", after("…"), true),
        ];
        for (header, query, start, asked) in cases {
            assert_eq!(cursor(header, query, ""), Cursor { start, asked }, "{query}");
        }
    }

    #[test]
    fn every_spelling_in_use_is_a_cursor() {
        for name in [
            "last_event_id",
            "lastEventId",
            "lastEventID",
            "Last-Event-ID",
            "last-event-id",
            "LAST_EVENT_ID",
            "evs_last_event_id",
        ] {
            assert_eq!(cursor(None, &format!("{name}=7"), "").start, after("7"), "{name}");
        }
        for name in ["last", "lastEvent", "event_id", "last_event_ids", "x_last_event_id", "last event id", "id", ""] {
            assert!(!cursor(None, &format!("{name}=7"), "").asked, "{name}");
        }
    }

    /// B6: if both have a cursor, the query string wins over the body; the header wins over both.
    #[test]
    fn the_query_beats_the_body() {
        assert_eq!(cursor(None, "last_event_id=1", "lastEventId=2").start, after("1"));
        assert_eq!(cursor(None, "last_event_id=", "last_event_id=2&last_event_id=3").start, after("3"));
        assert_eq!(cursor(Some(b"9"), "", "last_event_id=2").start, after("9"));
        assert_eq!(cursor(None, "", "last_event_id="), Cursor { start: Start::Now, asked: true });
    }

    #[test]
    fn the_last_of_several_headers_counts_that_says_something() {
        let mut headers = HeaderMap::new();
        for value in ["1", "2", ""] {
            headers.append(LAST_EVENT_ID, HeaderValue::from_static(value));
        }
        assert_eq!(Cursor::of(&headers, &[]).start, after("2"));
    }

    #[test]
    fn any_bytes_are_a_cursor() {
        let either = |one: &str, other: &str| Start::AfterEither(one.to_owned(), other.to_owned());
        for (bytes, start) in [
            (&b"caf\xe9"[..], after("café")),
            ("café".as_bytes(), either("café", "cafÃ©")),
            (b"\xff", after("ÿ")),
            (b"\xe2\x80\xa6", after("…")),
        ] {
            assert_eq!(cursor(Some(bytes), "", "").start, start);
        }
        for (query, id) in [("last_event_id=caf%e9", "café"), ("last_event_id=%00", "\0"), ("last_event_id=%zz", "%zz")]
        {
            assert_eq!(cursor(None, query, "").start, after(id));
        }
    }
}
