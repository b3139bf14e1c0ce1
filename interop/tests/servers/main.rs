//! Our client with servers of other people's making, and with our hub. What they send is also seen with curl, so that
//! an error of ours is not taken for one of theirs. `fanfare subscribe` on the same servers is in `command_line.rs`,
//! and a browser behind `fanfare relay` in `browser/tests/relay.spec.js`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod cases;
mod command_line;

use cases::{CASES, Case, Data::Is, Expected, Id, Then, event};
use fanfare_client::{Cause, Opened, ReadyState, Signal};
use fanfare_interop::{
    curl::Transfer,
    event_source::{Blocking, RECONNECTION_TIME},
    http,
    server::Server,
    subscriber::{Received, START_EVENT},
};
use std::time::Duration;

#[test]
fn each_server_sends_what_it_is_known_to_send() {
    for case in CASES {
        println!("{}", case.name);
        let server = (case.start)();
        let mut transfer = Transfer::start(&server.url, "");
        let head = &transfer.head;
        assert!(head.starts_with("http/1.1 200") && head.contains("\r\ncontent-type: text/event-stream"), "{head}");
        for expected in case.events {
            let received = transfer
                .find(|event| event.event_type != START_EVENT)
                .unwrap_or_else(|| panic!("{}: an event is missing", case.name));
            expected.check(&received);
        }
        if !matches!(case.then, Then::More) {
            assert_eq!(transfer.next(), None, "{}", case.name);
        }
        assert_eq!(transfer.reconnection_time(), case.reconnection_ms.map(Duration::from_millis), "{}", case.name);
    }
}

#[test]
fn our_client_receives_from_each_server_and_comes_back() {
    for case in CASES {
        println!("{}", case.name);
        let server = (case.start)();
        let mut source = Blocking::open(&server.url);
        assert_eq!(opened(&mut source).last_event_id.len(), 0, "{}", case.name);
        receive(&mut source, &server, case.events);
        if matches!(case.then, Then::More) {
            source.source().reconnect_now();
        }
        let last_event_id = source.source().last_event_id().to_owned();
        comes_back(&mut source, case);
        assert_eq!(*opened(&mut source).last_event_id, *last_event_id, "{}", case.name);
        match (case.then, &server.publish) {
            (Then::EndAndNext(events), _) => receive(&mut source, &server, events),
            // Not what was there before: it resumes.
            (_, Some(publish)) => {
                http::post(publish, "three").unwrap();
                receive(&mut source, &server, &[event("message", Is("three"), Id::Some)]);
            }
            (_, None) => receive(&mut source, &server, case.events),
        }
        source.source().close();
        assert!(source.signal().is_none(), "{}: nothing comes after the end", case.name);
        assert_eq!(source.source().ready_state(), ReadyState::Closed);
    }
}

/// Waits for a connection.
fn opened(source: &mut Blocking) -> Opened {
    match source.signal() {
        Some(Signal::Open(opened)) => *opened,
        other => panic!("{other:?} in place of a connection"),
    }
}

/// Receives these events, and nothing between them.
fn receive(source: &mut Blocking, server: &Server, events: &[Expected]) {
    for expected in events {
        match signal_but_start(source) {
            Some(Signal::Event(event)) => {
                expected.check(&Received::from(&event));
                assert!(server.url.starts_with(&format!("{}/", event.origin)), "{event:?}");
            }
            other => panic!("{other:?} in place of an event"),
        }
    }
}

/// Returns the next signal that is not the start event of our hub.
fn signal_but_start(source: &mut Blocking) -> Option<Signal> {
    match source.signal() {
        Some(Signal::Event(event)) if *event.event_type == *START_EVENT => source.signal(),
        signal => signal,
    }
}

/// Waits for the end of the connection: the server's, or the one that was asked for.
fn comes_back(source: &mut Blocking, case: &Case) {
    let goes_on = matches!(case.then, Then::More);
    let mut end = source.signal();
    // It may have sent something in the meantime.
    while goes_on && matches!(end, Some(Signal::Event(_))) {
        end = source.signal();
    }
    match end {
        Some(Signal::Reconnecting { cause: Cause::Requested, .. }) if goes_on => {}
        Some(Signal::Reconnecting { cause: Cause::EndOfStream, delay }) if !goes_on => {
            let reconnection_time = case.reconnection_ms.map_or(RECONNECTION_TIME, Duration::from_millis);
            assert!(delay >= reconnection_time, "{}: {delay:?}", case.name);
        }
        other => panic!("{}: {other:?} in place of the end", case.name),
    }
}
