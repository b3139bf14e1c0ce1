//! The end of a stream as the end of its last event, for who asks for it.
use crate::stream::{cuts, read};
use fanfare_event_stream::{Limits, ParseError, Parser};

/// What the end gives of `stream`: type, data and last event ID.
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
    let cases: [Case; 9] = [
        ("data:a\n\ndata:b", Some(("message", "b", ""))),
        ("data:a\n\ndata:b\n", Some(("message", "b", ""))),
        ("data:a\n\ndata:b\r", Some(("message", "b", ""))),
        ("id:7\nevent:x\ndata:a\ndata:b", Some(("x", "a\nb", "7"))),
        ("data:a\nid:7", Some(("message", "a", "7"))),
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
