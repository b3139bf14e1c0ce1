//! The way from fields to events: P18 to P25.
use crate::{
    connection::Connection,
    fixture::{each, event, events_of, play, run, signals, source, told},
    server::Server,
};
use fanfare_client::ManualClock;

/// The last event ID of the second request, after a first connection that sent `stream`.
async fn resumed_from(stream: &str) -> String {
    let clock = ManualClock::new();
    let server = Server::start([Connection::stream().piece(stream).end(), Connection::answer(204, "", "")]);
    let (_, error) = play(&mut signals(&server, &clock), &clock).await;
    assert!(error.is_none(), "{error:?}");
    server.requests()[1].last_event_id().to_owned()
}

#[test]
fn p18_each_blank_line_commits_the_id() {
    run(async {
        for (stream, id) in
            [("id:1\n\n", "1"), ("id:1\n\nid:2\n\n", "2"), ("id:1\ndata:\n\nid\n\n", ""), ("id:1\n", "")]
        {
            assert_eq!(resumed_from(stream).await, id, "{stream:?}");
        }
        let events = events_of(b"id:1\n\ndata:a\n\n").await;
        assert_eq!(told(&events), [("message", "a", "1", false, None)]);
    });
}

#[test]
fn p19_a_block_without_data_is_no_event() {
    run(async {
        let events = events_of(b"event:x\n\ndata:y\n\n").await;
        assert_eq!(told(&events), [("message", "y", "", false, None)]);
    });
}

#[test]
fn p19_a_block_without_data_is_an_event_if_the_program_wants_it() {
    run(async {
        let clock = ManualClock::new();
        let connection = || Connection::stream().piece("event:x\n\n\nretry:9\n\nid:1\n\ndata:y\n\n").end();
        let server = Server::start([connection(), connection(), Connection::answer(204, "", "")]);
        let mut signals = source(&server, &clock).events_without_data(true).build().unwrap().signals();
        let (events, error) = play(&mut signals, &clock).await;
        assert!(error.is_none(), "{error:?}");
        let of_each =
            |id| [("x", "", id, false, None), ("message", "", "1", true, None), ("message", "y", "1", false, None)];
        assert_eq!(told(&events), [of_each(""), of_each("1")].concat());
    });
}

#[test]
fn p20_one_trailing_lf_is_stripped() {
    each(&[(b"data\n\n", &[""]), (b"data\ndata\n\n", &["\n"]), (b"data:a\ndata\ndata\n\n", &["a\n\n"])]);
}

#[test]
fn p21_an_event_has_type_data_id_and_origin_and_then_they_are_forgotten() {
    run(async {
        let clock = ManualClock::new();
        let server =
            Server::start([Connection::stream().piece("event:x\nid:1\nretry:5\ndata:a\ndata:b\n\ndata:c\n\n")]);
        let mut source = source(&server, &clock).build().unwrap();
        let events = [event(&mut source).await, event(&mut source).await];
        assert_eq!(told(&events), [("x", "a\nb", "1", true, Some(5)), ("message", "c", "1", false, None)]);
        assert!(events.iter().all(|event| event.origin.as_str() == server.origin()));
    });
}

#[test]
fn p22_the_id_persists() {
    run(async {
        let events = events_of(b"id:1\ndata:\n\ndata:\n\nid\ndata:\n\ndata:\n\n").await;
        assert_eq!(events.iter().map(|event| &*event.last_event_id).collect::<Vec<_>>(), ["1", "1", "", ""]);
    });
}

#[test]
fn p23_what_a_connection_ends_within_is_discarded() {
    run(async {
        each_connection("id:1\ndata:a\n\nid:2\nevent:x\ndata:lost\n", "data:b\n\n", &["a", "b"], "1").await;
        each_connection("id:1\ndata:a\n\nid:2", "data:b\n\n", &["a", "b"], "1").await;
        // A comment is begun, a character is begun, a line end is begun.
        each_connection("id:1\ndata:a\n\n:", "data:b\n\n", &["a", "b"], "1").await;
        each_connection("id:1\ndata:a\n\ndata:\u{2026}\r", "\ndata:b\n\n", &["a", "b"], "1").await;
    });
}

/// Two connections: the events of both, and the last event ID that the second is asked with.
async fn each_connection(first: &str, second: &str, expected: &[&str], id: &str) {
    for first in [Connection::stream().piece(first).end(), Connection::stream().piece(first).close()] {
        let clock = ManualClock::new();
        let second = Connection::stream().piece(second).end();
        let server = Server::start([first, second, Connection::answer(204, "", "")]);
        let (events, error) = play(&mut signals(&server, &clock), &clock).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(events.iter().map(|event| &*event.data).collect::<Vec<_>>(), expected);
        assert_eq!(server.requests()[1].last_event_id(), id);
    }
}

#[test]
fn p24_nul_in_data_is_kept() {
    each(&[(b"data:\0\n\n", &["\0"]), (b"data: a\0b\ndata:\0\n\n", &["a\0b\n\0"])]);
}

#[test]
fn p25_the_id_survives_connections_that_send_none() {
    run(async {
        let clock = ManualClock::new();
        let stream = |text: &str| Connection::stream().piece(text).end();
        let connections = ["id:1\ndata:a\n\n", "data:b\n\n", "\n", "data:c\n\n"].map(stream);
        let server = Server::start(connections.into_iter().chain([Connection::answer(204, "", "")]));
        let (events, error) = play(&mut signals(&server, &clock), &clock).await;
        assert!(error.is_none(), "{error:?}");
        let expected = [("a", "1", true), ("b", "1", false), ("c", "1", false)];
        let seen: Vec<_> = told(&events).into_iter().map(|(_, data, id, sets_id, _)| (data, id, sets_id)).collect();
        assert_eq!(seen, expected);
        let sent: Vec<_> = server.requests().iter().map(|request| request.last_event_id().to_owned()).collect();
        assert_eq!(sent, ["", "1", "1", "1", "1"]);
    });
}
