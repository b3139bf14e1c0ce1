//! The way from lines to fields: P9 to P17.
use crate::{
    connection::Connection,
    fixture::{Expect as _, SECOND, each, events_of, run, signals, told},
    server::Server,
};
use fanfare_client::{MAX_RECONNECTION_TIME, ManualClock};
use std::time::Duration;

#[test]
fn p09_a_blank_line_dispatches() {
    each(&[(b"data:1\n\n\n\n\ndata:2\n\n", &["1", "2"]), (b"\n\n\n", &[]), (b" \n\ndata:1\n\n", &["1"])]);
}

#[test]
fn p10_lines_that_start_with_a_colon_are_ignored() {
    let long = [b":".repeat(5000).as_slice(), b"\ndata:1\n\n"].concat();
    each(&[(b":\n\n:x\ndata:1\n:data:2\ndata:3\n: \0\xff\n\n", &["1\n3"]), (b":data:1\n\n", &[]), (&long, &["1"])]);
}

#[test]
fn p11_the_first_colon_splits_and_one_space_is_stripped() {
    each(&[
        (b"data:a\n\ndata: a\n\ndata:  a\n\ndata:\ta\n\n", &["a", "a", " a", "\ta"]),
        (b"data: \n\ndata::a:b\n\ndata: : \n\n", &["", ":a:b", ": "]),
    ]);
}

#[test]
fn p12_a_line_without_a_colon_is_a_name() {
    each(&[(b"data\n\ndata\ndata\n\n", &["", "\n"]), (b"data:1\ndata\n\n", &["1\n"])]);
}

#[test]
fn p13_names_are_taken_as_they_are() {
    each(&[
        (b"Data:1\nDATA:1\n data:1\ndata :1\ndata\0:1\nda-ta:1\ndat:1\ndataa:1\n\xffdata:1\ndata:2\n\n", &["2"]),
        (b"unknown:1\nx\ndata:2\n\n", &["2"]),
    ]);
}

#[test]
fn p14_each_data_line_adds_its_value_and_an_lf() {
    each(&[(b"data:1\ndata:2\n\n", &["1\n2"]), (b"data\ndata:2\ndata\n\n", &["\n2\n"])]);
}

#[test]
fn p15_the_last_event_line_names_the_type() {
    run(async {
        for (stream, expected) in [
            (&b"event:a\nevent: b \ndata:\n\n"[..], "b "),
            (b"event:a\nevent:\ndata:\n\n", "message"),
            (b"event:a\nevent\ndata:\n\n", "message"),
            (b"data:\nevent:a\n\n", "a"),
            (b"data:\n\n", "message"),
        ] {
            assert_eq!(events_of(stream).await[0].event_type, expected, "{}", stream.escape_ascii());
        }
    });
}

#[test]
fn p16_the_last_id_line_without_nul_is_the_id() {
    run(async {
        for (stream, expected, sets_id) in [
            (&b"id:1\nid: 2\ndata:\n\n"[..], "2", true),
            (b"id:1\nid\ndata:\n\n", "", true),
            (b"id:1\nid:\ndata:\n\n", "", true),
            (b"id:1\nid:\0\ndata:\n\n", "1", true),
            (b"id:1\nid:2\0\ndata:\n\n", "1", true),
            (b"id:1\nid:\x002\ndata:\n\n", "1", true),
            (b"id:2\x003\ndata:\n\n", "", false),
        ] {
            let event = events_of(stream).await.remove(0);
            assert_eq!((&*event.last_event_id, event.sets_id()), (expected, sets_id), "{}", stream.escape_ascii());
            assert_eq!(event.id(), sets_id.then_some(expected));
        }
    });
}

/// Returns the time that the client waits after a connection that sent `stream` after an event.
async fn delay_after(stream: &str) -> Duration {
    let clock = ManualClock::new();
    let server = Server::start([Connection::stream().piece("data:\n\n").piece(stream).end()]);
    let mut signals = signals(&server, &clock);
    signals.opened().await;
    loop {
        match signals.signal().await {
            fanfare_client::Signal::Reconnecting { delay, .. } => return delay,
            fanfare_client::Signal::Event(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn p17_retry_is_digits_and_counts_from_its_line_on() {
    run(async {
        let (unset, most) = (3 * SECOND, MAX_RECONNECTION_TIME);
        for (stream, expected) in [
            ("retry:5000\n", 5 * SECOND),
            ("retry: 05000\n", 5 * SECOND),
            ("retry:5000", unset),
            ("retry:5000\nretry:x\n\n", 5 * SECOND),
            ("retry:5000\n\nretry:7000\n\n", 7 * SECOND),
            ("retry:0\n", Duration::from_millis(100)),
            ("retry\n", unset),
            ("retry:\n", unset),
            ("retry:1000x\n", unset),
            ("retry:+5\n", unset),
            ("retry:-5\n", unset),
            ("retry: 5 \n", unset),
            ("retry:0x5\n", unset),
            ("retry:18446744073709551616\n", most),
            ("retry:99999999999999999999999999999999\n", most),
        ] {
            assert_eq!(delay_after(stream).await, expected, "{stream:?}");
        }
        let events = events_of(b"retry:7\ndata:\n\ndata:\n\n").await;
        assert_eq!(told(&events), [("message", "", "", false, Some(7)), ("message", "", "", false, None)]);
    });
}

#[test]
fn p17_the_reconnection_time_outlives_connections() {
    run(async {
        let clock = ManualClock::new();
        let event = || Connection::stream().piece("data:\n\n").end();
        let server = Server::start([Connection::stream().piece("retry:5000\ndata:\n\n").end(), event(), event()]);
        let mut signals = signals(&server, &clock);
        for _ in 0..3 {
            signals.opened().await;
            signals.event().await;
            let (_, delay) = signals.reconnecting().await;
            assert_eq!(delay, 5 * SECOND);
            clock.advance(delay);
        }
    });
}
