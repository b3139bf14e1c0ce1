//! Each limit, one byte within and one beyond, however the stream is cut.
use crate::stream::{cuts, read, read_in_place, read_items};
use fanfare_event_stream::{Limits, ParseError, Parser};

const LIMITS: Limits = Limits { max_data_bytes: 6, max_id_bytes: 4, max_type_bytes: 3, max_line_bytes: 9 };

/// Asserts that an event gets through before `line`, and whether `line` and an event after it do.
#[track_caller]
fn check(line: &str, error: Option<ParseError>) {
    let stream = format!("data:a\n\n{line}\n\ndata:z\n\n");
    check_bytes(stream.as_bytes(), error);
}

#[track_caller]
fn check_bytes(stream: &[u8], error: Option<ParseError>) {
    for pieces in cuts(stream) {
        for read in [read, read_items, read_in_place] {
            let mut parser = Parser::with_limits(LIMITS);
            let (outcome, result) = read(&mut parser, &pieces);
            assert_eq!(result, error.map_or(Ok(()), Err), "{pieces:?}");
            assert_eq!(outcome.events.first().map(|event| &*event.data), Some("a"), "{pieces:?}");
            assert_eq!(outcome.events.last().map(|event| event.data == "z"), Some(error.is_none()), "{pieces:?}");
        }
    }
}

#[test]
fn data() {
    let error = Some(ParseError::DataTooLong { limit: 6 });
    check("data:123456", None);
    check("data:1234567", error);
    check("data: 123456", None);
    check("data:1234…", error);
    check("data:123…", None);
    // The line ends between lines count, the one that is stripped does not.
    check("data:12\ndata:345", None);
    check("data:12\ndata:3456", error);
    check("data\ndata\ndata\ndata\ndata\ndata\ndata", None);
    check("data\ndata\ndata\ndata\ndata\ndata\ndata\ndata", error);
    check("data:123456\ndata", error);
    check("data:123456\r\nid:1\r\n:c\r\nevent:x", None);
    // Other blocks do not count.
    check("data:123456\n\ndata:123456", None);
    // Bytes count as they come, not as what they are repaired to.
    check_bytes(b"data:a\n\ndata:\xff\xff\xff\xff\xff\xff\n\ndata:z\n\n", None);
    check_bytes(b"data:a\n\ndata:\xff\xff\xff\xff\xff\xff\xff\n\ndata:z\n\n", error);
}

#[test]
fn id() {
    check("id:1234", None);
    check("id: 1234", None);
    check("id:12345", Some(ParseError::IdTooLong { limit: 4 }));
    check("id:\u{0}1234", Some(ParseError::IdTooLong { limit: 4 }));
    check_bytes(b"data:a\n\nid:123\xff\n\ndata:z\n\n", None);
    check_bytes(b"data:a\n\nid:1234\xff\n\ndata:z\n\n", Some(ParseError::IdTooLong { limit: 4 }));
}

#[test]
fn event_type() {
    check("event:123", None);
    check("event:1234", Some(ParseError::TypeTooLong { limit: 3 }));
}

#[test]
fn other_lines() {
    let error = Some(ParseError::LineTooLong { limit: 9 });
    check(":23456789", None);
    check(":234567890", error);
    check("retry:789", None);
    check("retry:7890", error);
    check("123456789", None);
    check("1234567890", error);
    check("1234:6789", None);
    check("1234:67890", error);
}

#[test]
fn names_count_as_lines_when_they_mean_nothing() {
    let limits = Limits { max_line_bytes: 2, ..Limits::default() };
    let error = Err(ParseError::LineTooLong { limit: 2 });
    for (stream, expected) in
        [(&b"data\nid\nevent\n\n"[..], Ok(())), (b"dat\n", error), (b"retry\n", error), (b"dt\n", Ok(()))]
    {
        for pieces in cuts(stream) {
            assert_eq!(read(&mut Parser::with_limits(limits), &pieces).1, expected, "{pieces:?}");
        }
    }
}

/// Part of a byte order mark that turns out to be none counts like the rest of its line.
#[test]
fn a_broken_byte_order_mark_counts() {
    let error = Err(ParseError::LineTooLong { limit: 9 });
    for (stream, expected) in [(&b"\xef\xbb3456789\n"[..], Ok(())), (b"\xef\xbb34567890\n", error)] {
        for pieces in cuts(stream) {
            assert_eq!(read(&mut Parser::with_limits(LIMITS), &pieces).1, expected, "{pieces:?}");
        }
    }
}

/// An error is final until `reset`, and forgets nothing that was committed.
#[test]
fn an_error_is_final_until_reset() {
    let mut parser = Parser::with_limits(LIMITS);
    let error = Err(ParseError::DataTooLong { limit: 6 });
    let stream: &[u8] = b"id:1\nretry:5\n\nid:2\ndata:1234567\n\n";
    assert_eq!(read(&mut parser, &[stream]).1, error);
    assert_eq!(read(&mut parser, &[b"\n\ndata:a\n\n"]).1, error);
    assert_eq!(read(&mut parser, &[b""]).1, error);
    parser.reset();
    let (outcome, result) = read(&mut parser, &[b"data:a\n\n"]);
    assert_eq!((result, &*outcome.events[0].last_event_id, outcome.reconnection_time_ms), (Ok(()), "1", Some(5)));
}

#[test]
fn the_error_names_the_limit() {
    let text = ParseError::DataTooLong { limit: 6 }.to_string();
    assert_eq!(text, "the data of an event in the event stream is longer than 6 bytes");
}

#[test]
fn the_defaults_are_as_documented() {
    let limit = Limits::DEFAULT_DATA_BYTES;
    let within = [b"data:".as_slice(), &vec![b'x'; limit], b"\n\n"].concat();
    let beyond = [b"data:x".as_slice(), &within[5..]].concat();
    for (stream, expected) in [(&within, Ok(())), (&beyond, Err(ParseError::DataTooLong { limit }))] {
        assert_eq!(read(&mut Parser::new(), &[stream]).1, expected);
        assert_eq!(read(&mut Parser::new(), &stream.chunks(100_000).collect::<Vec<_>>()).1, expected);
    }
}
