//! Passing a stream on: blocks that are not events, and the way back to bytes.
use crate::stream::cuts;
use fanfare_event_stream::{BlockRef, Chunk, EventRef, Item, Parser};

/// Reads `pieces` and writes all that they say.
fn passed_on(pieces: &[&[u8]]) -> String {
    let mut parser = Parser::new().with_blocks();
    let mut out = Vec::new();
    for piece in pieces {
        let mut chunk = Chunk::new(piece);
        while let Some(item) = parser.next_item(&mut chunk).expect("nothing is too large") {
            match item {
                Item::Event(event) => event.encode_into(&mut out),
                Item::Block(block) => block.encode_into(&mut out),
                Item::Comment(text) => fanfare_event_stream::encode_comment(text, &mut out),
            }
        }
    }
    String::from_utf8(out).expect("text")
}

#[test]
fn nothing_is_lost_on_the_way_through() {
    let stream = "retry: 5\n\nid: 1\n\nevent: ping\n\n: hello\n\nevent: x\nretry: 7\nid: 2\ndata: a\ndata:  b\n\nid: \n\n\
                  event: y\nretry: 1\nid: 3\n\ndata: \n\n";
    for pieces in cuts(stream.as_bytes()) {
        assert_eq!(passed_on(&pieces), stream, "{pieces:?}");
    }
    let twice = passed_on(&[b"\n\n:c\n\nunknown: x\n\ndata: a\r\n\r\n"]);
    assert_eq!(twice, ": c\n\ndata: a\n\n", "what says nothing is not passed on");
}

#[test]
fn a_block_is_given_once_and_only_if_asked_for() {
    let mut parser = Parser::new().with_blocks();
    let mut chunk = Chunk::new(b"id:1\nretry:2\n\ndata:a\n\n");
    let block = BlockRef { event_type: None, id: Some("1"), retry_ms: Some(2) };
    assert_eq!(parser.next_item(&mut chunk), Ok(Some(Item::Block(block))));
    let Ok(Some(Item::Event(event))) = parser.next_item(&mut chunk) else { panic!("an event") };
    assert_eq!((event.data, event.id(), event.retry_ms, event.last_event_id), ("a", None, None, "1"));
    let mut parser = Parser::new().with_blocks();
    let mut chunk = Chunk::new(b"id:1\n\nevent:x\n\ndata:a\n\n");
    assert_eq!(parser.next_event(&mut chunk).map(|event| event.map(|event| event.event_type)), Ok(Some("message")));
}

/// Text that a program puts into an event itself cannot become fields of its own.
#[test]
fn no_value_escapes_its_line() {
    let mut out = Vec::new();
    let event = EventRef {
        event_type: "a\ndata: x",
        data: "b",
        last_event_id: "1\r\n\r\ndata: y",
        sets_id: true,
        retry_ms: None,
    };
    event.encode_into(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "event: a\nid: 1\ndata: b\n\n");
}

#[test]
fn comments_are_noticed_by_who_does_not_read_them() {
    let mut parser = Parser::new();
    for (stream, commented) in [("data:a\n\n", false), (":\n", true), ("data:a\n:x\n\n", true), ("id:1\n\n", false)] {
        for pieces in cuts(stream.as_bytes()) {
            assert_eq!(crate::stream::read(&mut parser, &pieces).1, Ok(()));
            assert_eq!(parser.take_commented(), commented, "{pieces:?}");
        }
    }
}
