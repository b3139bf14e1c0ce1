//! Events beyond a limit that are skipped: the stream goes on at the next blank line, and says what was lost.
use crate::stream::cuts;
use fanfare_event_stream::{Chunk, Item, Limits, ParseError, Parser};

const LIMITS: Limits = Limits { max_data_bytes: 6, max_id_bytes: 4, max_type_bytes: 3, max_line_bytes: 9 };
const DATA: ParseError = ParseError::DataTooLong { limit: 6 };
const ID: ParseError = ParseError::IdTooLong { limit: 4 };
const TYPE: ParseError = ParseError::TypeTooLong { limit: 3 };
const LINE: ParseError = ParseError::LineTooLong { limit: 9 };

/// An event's data and last event ID, or what was skipped: why, how much, and the last event ID behind it.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Event(String, String),
    Skipped(ParseError, u64, String),
}

fn event(data: &str, id: &str) -> Said {
    Said::Event(data.into(), id.into())
}

fn skipped(error: ParseError, bytes: u64, id: &str) -> Said {
    Said::Skipped(error, bytes, id.into())
}

fn said(pieces: &[&[u8]], items: bool) -> Vec<Said> {
    let mut parser = Parser::with_limits(LIMITS).with_large_events_skipped();
    let mut said = Vec::new();
    for piece in pieces {
        let mut chunk = Chunk::new(piece);
        loop {
            let read = match items {
                true => parser.next_item(&mut chunk),
                false => parser.next_event(&mut chunk).map(|event| event.map(Item::Event)),
            };
            match read {
                Ok(Some(Item::Event(read))) => said.push(event(read.data, read.last_event_id)),
                Ok(Some(Item::Comment(_))) => {}
                Ok(Some(Item::Block(block))) => panic!("{block:?} was not asked for"),
                Ok(None) => break,
                Err(error) => said.push(skipped(error, parser.skipped_bytes(), parser.last_event_id())),
            }
        }
        assert!(chunk.rest().is_empty());
    }
    said
}

#[track_caller]
fn check(stream: &str, expected: &[Said]) {
    for pieces in cuts(stream.as_bytes()) {
        for items in [false, true] {
            assert_eq!(said(&pieces, items), expected, "{stream:?} as {pieces:?}");
        }
    }
}

#[test]
fn the_stream_goes_on_behind_it() {
    for end in ["\n", "\r\n", "\r"] {
        let stream = "data:a\n\ndata:1234567\n\ndata:z\n\n".replace('\n', end);
        check(&stream, &[event("a", ""), skipped(DATA, 7, ""), event("z", "")]);
    }
    check("data:1234567\n\ndata:12345678\n\n", &[skipped(DATA, 7, ""), skipped(DATA, 8, "")]);
}

#[test]
fn the_bytes_are_those_of_the_whole_of_it() {
    check("data:12\ndata:3456\n\n", &[skipped(DATA, 7, "")]);
    check("data:1234567\ndata:89\n\n", &[skipped(DATA, 10, "")]);
    check("data: 1234567\nevent:x\ndata\n\n", &[skipped(DATA, 8, "")]);
    check("data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\n", &[skipped(DATA, 7, "")]);
    check("id:12345\ndata:a\n\n", &[skipped(ID, 5, "")]);
    check("event:12345\ndata:a\n\n", &[skipped(TYPE, 5, "")]);
    check(":2345678901\ndata:a\n\n", &[skipped(LINE, 11, "")]);
    check("12345678901\ndata:a\n\n", &[skipped(LINE, 11, "")]);
    check("retry:78901\ndata:a\n\n", &[skipped(LINE, 11, "")]);
}

/// A client that resumes is not sent it again.
#[test]
fn its_id_counts_and_nothing_else() {
    check("id:7\ndata:1234567\n\ndata:z\n\n", &[skipped(DATA, 7, "7"), event("z", "7")]);
    check("data:1234567\nid:7\nevent:x\n:c\nretry:5\n\ndata:z\n\n", &[skipped(DATA, 7, "7"), event("z", "7")]);
    check("id:1\ndata:a\n\ndata:1234567\nid\n\n", &[event("a", "1"), skipped(DATA, 7, "")]);
    check("id:1\ndata:a\n\ndata:1234567\nid:12345\n\n", &[event("a", "1"), skipped(DATA, 7, "1")]);
    check("id:1\ndata:a\n\nid:12345\ndata:b\n\n", &[event("a", "1"), skipped(ID, 5, "1")]);
}

#[test]
fn one_that_does_not_end_is_not_told_and_holds_nothing() {
    check("data:a\n\ndata:1234567\n", &[event("a", "")]);
    check("data:a\n\ndata:1234567", &[event("a", "")]);
}

#[test]
fn a_reset_ends_it() {
    let mut parser = Parser::with_limits(LIMITS).with_large_events_skipped();
    assert_eq!(parser.next_event(&mut Chunk::new(b"id:1\n\nid:2\ndata:1234567\n")), Ok(None));
    parser.reset();
    let mut chunk = Chunk::new(b"data:z\n\n");
    let event = parser.next_event(&mut chunk).unwrap().unwrap();
    assert_eq!((event.data, event.last_event_id), ("z", "1"));
}
