//! Where a subscriber says which event it saw last, and under which name the answer says where the stream goes on.
//!
//! The header comes first: a browser that reconnects by itself repeats the URL, with the cursor it once began with, and
//! adds the header with the one it has reached.
use crate::{form::Form, problem::Problem};
use fanfare_hub::subscription::Start;
use http::{HeaderMap, HeaderName};

/// The request header that EventSource sends, and the response header of Mercure's older revision.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The response header of Mercure's newer revision.
pub const MERCURE_LAST_EVENT_ID: HeaderName = HeaderName::from_static("mercure-last-event-id");

/// The query parameters that carry a cursor when a client cannot set a header: Mercure's newer revision, its older one,
/// and that one before 0.14.
const PARAMETERS: [&str; 3] = ["last_event_id", "lastEventID", "Last-Event-ID"];

/// What a request says of its cursor.
#[derive(Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Where the subscription starts.
    pub start: Start,
    /// Whether the request speaks of a cursor at all, if only of an empty one. The answer then names the place where the
    /// stream begins.
    pub asked: bool,
}

impl Cursor {
    /// Reads the cursor of a request.
    ///
    /// # Errors
    /// [`Problem::LastEventId`] if the header is no UTF-8.
    pub fn of(headers: &HeaderMap, query: &Form) -> Result<Self, Problem> {
        let header = headers.get(LAST_EVENT_ID).map(|value| str::from_utf8(value.as_bytes()));
        let header = header.transpose().map_err(|_| Problem::LastEventId)?;
        let id = header.or_else(|| PARAMETERS.iter().find_map(|name| query.get(name)));
        let start = match id {
            Some(id) if !id.is_empty() => Start::After(id.to_owned()),
            _ => Start::Now,
        };
        Ok(Self { start, asked: id.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn cursor(header: Option<&[u8]>, query: &str) -> Result<Cursor, Problem> {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert(LAST_EVENT_ID, HeaderValue::from_bytes(value).unwrap());
        }
        Cursor::of(&headers, &Form::parse(query.as_bytes()).unwrap())
    }

    #[test]
    fn the_header_beats_every_parameter() {
        let after = |id: &str| Start::After(id.to_owned());
        let cases: [(Option<&[u8]>, &str, Start, bool); 9] = [
            (None, "topic=a", Start::Now, false),
            (None, "last_event_id=", Start::Now, true),
            (Some(b""), "last_event_id=1", Start::Now, true),
            (Some(b"9"), "last_event_id=1", after("9"), true),
            (None, "Last-Event-ID=3&lastEventID=2&last_event_id=1", after("1"), true),
            (None, "Last-Event-ID=3&lastEventID=2", after("2"), true),
            (None, "Last-Event-ID=3", after("3"), true),
            (None, "lasteventid=3", Start::Now, false),
            ("…".as_bytes().into(), "", after("…"), true),
        ];
        for (header, query, start, asked) in cases {
            assert_eq!(cursor(header, query).unwrap(), Cursor { start, asked }, "{query}");
        }
        assert!(matches!(cursor(Some(b"\xff"), ""), Err(Problem::LastEventId)));
    }
}
