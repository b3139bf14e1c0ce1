//! The end of a stream as the end of its last event, for who asks for it.
use crate::stream::{cuts, read};
use fanfare_event_stream::{Limits, ParseError, Parser};

/// Returns what the end of `stream` gives: type, data and last event ID.
fn last(stream: &[u8], pieces: &[&[u8]]) -> Option<(String, String, String)> {
    let mut parser = Parser::new();
    assert_eq!(read(&mut parser, pieces).1, Ok(()), "{stream:?}");
    let event = parser.finish().expect("nothing is too large");
    let event = event.map(|event| (event.event_type.to_owned(), event.data.to_owned(), event.last_event_id.to_owned()));
    assert_eq!(parser.finish(), Ok(None), "it is given once");
    event
}

#[test]
fn what_no_blank_line_follows_is_an_event_if_it_has_data() {
    type Case = (&'static str, Option<(&'static str, &'static str, &'static str)>);
    let cases: [Case; 21] = [
        ("data:a\n\ndata:b", Some(("message", "b", ""))),
        ("data:a\n\ndata:b\n", Some(("message", "b", ""))),
        ("data:a\n\ndata:b\r", Some(("message", "b", ""))),
        // It may be cut, so it is no place to resume from.
        ("id:7\nevent:x\ndata:a\ndata:b", Some(("x", "a\nb", ""))),
        ("id:7\ndata:hal", Some(("message", "hal", ""))),
        ("data:a\nid:7\n", Some(("message", "a", ""))),
        ("id:6\n\nid:7\ndata:a\n", Some(("message", "a", "6"))),
        ("data:a\nevent:x\r", Some(("x", "a", ""))),
        // A line that may be cut counts only if it is data.
        ("data:a\nid:7", Some(("message", "a", ""))),
        ("id:6\ndata:a\nid:7", Some(("message", "a", ""))),
        ("id:6\ndata:a\nid:", Some(("message", "a", ""))),
        ("id:6\ndata:a\nid", Some(("message", "a", ""))),
        ("id:6\n\ndata:a\nid:7", Some(("message", "a", "6"))),
        ("data:a\nevent:x", Some(("message", "a", ""))),
        ("event:x\ndata:a\nevent:y", Some(("x", "a", ""))),
        ("event:x\ndata:a\nevent", Some(("x", "a", ""))),
        ("id:7\ndata:a\n:comment", Some(("message", "a", ""))),
        ("data:a\n\n", None),
        ("data:a\n\nevent:x", None),
        ("data", Some(("message", "", ""))),
        ("", None),
    ];
    for (stream, expected) in cases {
        for pieces in cuts(stream.as_bytes()) {
            let last = last(stream.as_bytes(), &pieces);
            let last = last.as_ref().map(|(event_type, data, id)| (&**event_type, &**data, &**id));
            assert_eq!(last, expected, "{stream:?} as {pieces:?}");
        }
    }
}

#[test]
fn no_id_of_a_cut_event_and_nothing_of_a_cut_line_is_kept() {
    for (stream, expected) in [("id:7", ""), ("id:7\n", ""), ("id:6\n\nid:7\n", "6"), ("id:6\n\ndata:a\nid:7\n", "6")] {
        let mut parser = Parser::new();
        assert_eq!(read(&mut parser, &[stream.as_bytes()]).1, Ok(()));
        parser.finish().expect("nothing is too large");
        assert_eq!(parser.last_event_id(), expected, "{stream:?}");
    }
    for (stream, expected) in [("data:a\nretry:70", None), ("data:a\nretry:70\n", Some(70))] {
        let mut parser = Parser::new();
        assert_eq!(read(&mut parser, &[stream.as_bytes()]).1, Ok(()));
        let event = parser.finish().expect("nothing is too large").expect("an event");
        assert_eq!(event.retry_ms, expected, "{stream:?}");
        assert_eq!(parser.reconnection_time().map(|time| time.as_millis()), expected.map(u128::from), "{stream:?}");
    }
    // Of an event that is skipped too.
    for (stream, expected) in [("data:1234\nid:7", ""), ("data:1234\nid:7\n", ""), ("id:6\n\ndata:1234\nid:7\n", "6")] {
        let limits = Limits { max_data_bytes: 3, ..Limits::default() };
        let mut parser = Parser::with_limits(limits).with_large_events_skipped();
        assert_eq!(read(&mut parser, &[stream.as_bytes()]).1, Ok(()));
        assert_eq!(parser.finish(), Err(ParseError::DataTooLong { limit: 3 }));
        assert_eq!((parser.last_event_id(), parser.skipped_bytes()), (expected, 4), "{stream:?}");
    }
}

#[test]
fn limits_hold_there_too() {
    let limits = Limits { max_data_bytes: 3, ..Limits::default() };
    let mut parser = Parser::with_limits(limits);
    assert!(read(&mut parser, &[b"data:1234"]).1.is_err());
    assert_eq!(parser.finish(), Err(ParseError::DataTooLong { limit: 3 }));
    let mut parser = Parser::with_limits(limits).with_large_events_skipped();
    assert_eq!(read(&mut parser, &[b"data:1234"]).1, Ok(()));
    assert_eq!(parser.finish(), Err(ParseError::DataTooLong { limit: 3 }));
    assert_eq!((parser.skipped_bytes(), parser.finish()), (4, Ok(None)));
}
