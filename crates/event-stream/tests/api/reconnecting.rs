//! One stream after another: the last event ID, the reconnection time and `reset`.
use crate::stream::{cuts, read};
use core::time::Duration;
use fanfare_event_stream::{EventId, Parser};

fn resuming_from(id: &str) -> Parser {
    Parser::new().resuming_from(&EventId::new(id).expect("a valid ID"))
}

/// P25: the ID survives a connection that sends none.
#[test]
fn the_last_event_id_survives_streams_without_one() {
    let mut parser = resuming_from("1");
    assert_eq!(parser.last_event_id(), "1");
    for _ in 0..3 {
        parser.reset();
        let events = read(&mut parser, &[b"data:a\n\ndata:b\n\n"]).0.events;
        assert!(events.iter().all(|event| event.last_event_id == "1" && !event.sets_id));
        assert_eq!(parser.last_event_id(), "1");
    }
    assert_eq!(read(&mut parser, &[b"id\n\n"]).1, Ok(()));
    assert_eq!(parser.last_event_id(), "");
}

/// P23 and P25: what a stream had begun when it broke off is gone in the next, wherever it broke off.
#[test]
fn reset_forgets_the_begun_block() {
    let stream = "event:x\nid:2\ndata:a…\nretry:7\n:c\nid:3\r".as_bytes();
    for begun in cuts(stream).into_iter().map(|cut| cut[0]) {
        let mut parser = resuming_from("1");
        assert_eq!(read(&mut parser, &[begun]).1, Ok(()));
        parser.reset();
        let (outcome, _) = read(&mut parser, &["\u{feff}data:b\n\n".as_bytes()]);
        let event = &outcome.events[0];
        assert_eq!((&*event.event_type, &*event.data, &*event.last_event_id), ("message", "b", "1"), "{begun:?}");
        assert_eq!((event.sets_id, event.retry_ms), (false, None));
    }
}

/// P17 and P25: the reconnection time outlives the stream that set it.
#[test]
fn the_reconnection_time_survives_reset() {
    let mut parser = Parser::new();
    assert_eq!(parser.reconnection_time(), None);
    assert_eq!(read(&mut parser, &[b"retry:250\n"]).1, Ok(()));
    parser.reset();
    assert_eq!(parser.reconnection_time(), Some(Duration::from_millis(250)));
}
