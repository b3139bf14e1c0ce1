//! Blocks without data, which are no events unless they are asked for.
use crate::stream::{cuts, read_items};
use fanfare_event_stream::Parser;

const STREAM: &str = "event:ping\n\nid:1\n\nretry:9\n\n:c\n\n\ndata\n\nevent:a\rdata:b\r\r";

fn events(parser: &Parser) -> Vec<Vec<(String, String, String)>> {
    let read = |pieces: Vec<&[u8]>| {
        let (outcome, result) = read_items(&mut parser.clone(), &pieces);
        assert_eq!(result, Ok(()));
        let parts = |event: &crate::reference::Seen| {
            (event.event_type.clone(), event.data.clone(), event.last_event_id.clone())
        };
        outcome.events.iter().map(parts).collect()
    };
    cuts(STREAM.as_bytes()).into_iter().map(read).collect()
}

fn event(event_type: &str, data: &str, id: &str) -> (String, String, String) {
    (event_type.into(), data.into(), id.into())
}

#[test]
fn a_block_without_data_is_no_event() {
    for events in events(&Parser::new()) {
        assert_eq!(events, [event("message", "", "1"), event("a", "b", "1")]);
    }
}

/// Only a type or an ID makes it one: a comment, a `retry` field or a blank line alone does not.
#[test]
fn a_block_without_data_is_an_event_if_that_is_asked_for() {
    for events in events(&Parser::new().with_events_without_data()) {
        let named = [event("ping", "", ""), event("message", "", "1")];
        assert_eq!(events, [&named[..], &[event("message", "", "1"), event("a", "b", "1")]].concat());
    }
}
