//! Events that are too large, and ends without a blank line, where the program asks for it.
use crate::{
    connection::Connection,
    fixture::{Expect as _, SECOND, event, run, source},
    notes::Notes,
    server::Server,
};
use fanfare_client::{Acknowledge, Limits, ManualClock, ParseError, Reconnect, Signal, Warning};
use futures_util::StreamExt as _;

const LIMITS: Limits = Limits {
    max_data_bytes: 8,
    max_id_bytes: Limits::DEFAULT_ID_BYTES,
    max_type_bytes: Limits::DEFAULT_TYPE_BYTES,
    max_line_bytes: Limits::DEFAULT_LINE_BYTES,
};
const STREAM: &str = "id:1\ndata:a\n\nid:2\ndata:123456789\n\ndata:b\n\n";

#[test]
fn a_large_event_is_skipped_and_told() {
    run(async {
        for piece_bytes in [1, 7, 1000] {
            let clock = ManualClock::new();
            let pieces = STREAM.as_bytes().chunks(piece_bytes);
            let stream = || pieces.clone().fold(Connection::stream(), |stream, piece| stream.piece(piece));
            let server = Server::start([stream(), stream()]);
            let builder = || source(&server, &clock).limits(LIMITS).skip_large_events(true);
            let mut events = builder().build().unwrap();
            assert_eq!(event(&mut events).await.data, "a");
            let second = event(&mut events).await;
            assert_eq!((&*second.data, &*second.last_event_id), ("b", "2"));
            let mut signals = builder().build().unwrap().signals();
            signals.opened().await;
            signals.event().await;
            let Signal::Warning(warning) = signals.signal().await else { panic!("a warning") };
            let error = ParseError::DataTooLong { limit: 8 };
            assert_eq!(warning, Warning::EventSkipped { error, bytes: 9, last_event_id: "2".into() });
            assert_eq!(signals.event().await.data, "b");
        }
    });
}

#[test]
fn its_id_is_kept() {
    run(async {
        let (clock, notes) = (ManualClock::new(), Notes::default());
        let server = Server::start([Connection::stream().piece(STREAM)]);
        let builder = source(&server, &clock).limits(LIMITS).skip_large_events(true).store(notes.clone());
        let mut source = builder.build().unwrap();
        event(&mut source).await;
        event(&mut source).await;
        source.flush().await.unwrap();
        assert_eq!(notes.saved().last().unwrap(), "2");
    });
}

/// A program that tells somebody else of what is missing may be interrupted before it has done so.
#[test]
fn its_id_is_kept_when_it_is_acknowledged() {
    run(async {
        for (stream, first) in [(STREAM, true), ("id:2\ndata:123456789\n\nid:3\n\ndata:b\n\n", false)] {
            let (clock, notes) = (ManualClock::new(), Notes::default());
            let server = Server::start([Connection::stream().piece(stream)]);
            let builder = source(&server, &clock).limits(LIMITS).skip_large_events(true).store(notes.clone());
            let mut signals = builder.acknowledge(Acknowledge::Manual).build().unwrap().signals();
            signals.opened().await;
            if first {
                let event = signals.event().await;
                signals.source().acknowledge(&event);
            }
            let Signal::Warning(Warning::EventSkipped { last_event_id, .. }) = signals.signal().await else {
                panic!("a warning")
            };
            assert_eq!(signals.event().await.data, "b");
            signals.source().flush().await.unwrap();
            let before: &[&str] = if first { &["1"] } else { &[] };
            assert_eq!(notes.saved(), before);
            signals.source().acknowledge_skipped(&last_event_id);
            signals.source().flush().await.unwrap();
            assert_eq!(notes.saved().last().unwrap(), "2");
        }
    });
}

#[test]
fn an_end_without_a_blank_line_gives_the_last_event_on_request() {
    run(async {
        for (given, expected) in [(false, vec!["a"]), (true, vec!["a", "b"])] {
            let clock = ManualClock::new();
            let server = Server::start([Connection::stream().piece("data:a\n\nid:7\ndata:b").end()]);
            let builder = source(&server, &clock).reconnect(Reconnect::never()).unfinished_events(given);
            let mut source = builder.build().unwrap();
            let mut data = Vec::new();
            while let Some(event) = source.next().await {
                data.push(event.unwrap().data.to_string());
            }
            assert_eq!(data, expected);
            assert_eq!(source.last_event_id(), "", "it may be cut");
        }
    });
}

/// "Once the end of the file is reached, any pending data must be discarded. If the file ends in the middle of an
/// event, before the final empty line, the incomplete event is not dispatched." The last event ID is set when an event
/// is dispatched. So whoever resumes gets the cut event again, and whole.
#[test]
fn the_id_of_a_cut_event_is_no_place_to_resume_from() {
    run(async {
        let cuts = ["id:7\ndata:hal", "id:7\ndata:hal\n", "data:b\nid:7\n", "data:b\nid:7", "id:7\n", "id:7"];
        for (cut, given) in cuts.into_iter().flat_map(|cut| [(cut, false), (cut, true)]) {
            let clock = ManualClock::new();
            let first = Connection::stream().piece(format!("id:6\ndata:a\n\n{cut}"));
            let server = Server::start([first.end(), Connection::stream().piece("id:7\ndata:hallo\n\n")]);
            let mut signals = source(&server, &clock).unfinished_events(given).build().unwrap().signals();
            signals.opened().await;
            assert_eq!(signals.event().await.data, "a");
            if given && cut.contains("data") {
                let last = signals.event().await;
                assert_eq!((&*last.last_event_id, last.id()), ("6", None), "{cut:?}");
            }
            assert_eq!(signals.source().last_event_id(), "6", "{cut:?}");
            clock.advance(signals.reconnecting().await.1);
            assert_eq!(signals.opened().await.last_event_id, "6", "{cut:?}");
            assert_eq!(server.requests()[1].header("last-event-id"), Some(&b"6"[..]), "{cut:?}");
            let whole = signals.event().await;
            assert_eq!((&*whole.data, whole.id()), ("hallo", Some("7")), "{cut:?}");
        }
    });
}

/// Nobody knows how an event that breaks off would have gone on.
#[test]
fn a_stream_that_breaks_off_gives_nothing_more() {
    run(async {
        let clock = ManualClock::new();
        let server = Server::start([Connection::stream().piece("data:a\n\ndata:b\n").close()]);
        let mut signals = source(&server, &clock).unfinished_events(true).build().unwrap().signals();
        signals.opened().await;
        assert_eq!(signals.event().await.data, "a");
        assert_eq!(signals.reconnecting().await.1, 3 * SECOND);
    });
}

#[test]
fn unknown_codings_are_none_and_told() {
    run(async {
        for coding in ["none", "utf-8", "binary", "x-odd", "identity, none"] {
            let clock = ManualClock::new();
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: {coding}\r\n\r\n");
            let stream = || Connection::raw(format!("{head}data:a\n\n"));
            let server = Server::start([stream(), stream()]);
            let mut signals = source(&server, &clock).build().unwrap().signals();
            let Signal::Warning(warning) = signals.signal().await else { panic!("a warning") };
            let name = coding.rsplit(' ').next().unwrap();
            assert_eq!(warning, Warning::UnknownEncoding { coding: name.into() });
            signals.opened().await;
            assert_eq!(signals.event().await.data, "a");
            let mut source = source(&server, &clock).build().unwrap();
            source.open().await.unwrap();
            assert_eq!(event(&mut source).await.data, "a");
        }
    });
}
