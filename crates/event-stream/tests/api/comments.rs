//! Comments, for those who want to see them.
use crate::{
    reference,
    stream::{cuts, read_items},
};
use fanfare_event_stream::{Chunk, Item, Parser};

#[test]
fn comments_come_in_their_place() {
    let stream = ":one\n\ndata:1\n: two\n:\n:  three\r\ndata:2\n\n: \u{e9}…\r:\r\n";
    for pieces in cuts(stream.as_bytes()) {
        let (outcome, result) = read_items(&mut Parser::new(), &pieces);
        assert_eq!(result, Ok(()));
        assert_eq!(outcome.comments, ["one", "two", "", " three", "é…", ""], "{pieces:?}");
        assert_eq!(outcome, reference::read(stream.as_bytes(), ""));
    }
}

/// A comment within a block comes before the event that the block makes.
#[test]
fn a_comment_comes_before_its_blocks_event() {
    let mut parser = Parser::new();
    let mut chunk = Chunk::new(b"data:1\n:c\xff\nevent:x\n\n");
    assert_eq!(parser.next_item(&mut chunk), Ok(Some(Item::Comment("c\u{fffd}"))));
    let item = parser.next_item(&mut chunk).expect("no limit is reached");
    assert!(matches!(item, Some(Item::Event(event)) if event.data == "1" && event.event_type == "x"));
    assert_eq!(parser.next_item(&mut chunk), Ok(None));
}
