//! Our client with servers of other people's making, and with our hub. What they send is also seen with curl, so that an error
//! of ours is not taken for one of theirs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use fanfare_client::{Cause, Opened, ReadyState, Signal};
use fanfare_interop::{
    curl::Transfer,
    event_source::{Blocking, RECONNECTION_TIME},
    http,
    server::{self, Server},
    subscriber::Received,
};
use std::time::Duration;

/// What one server sends.
struct Case {
    name: &'static str,
    start: fn() -> Server,
    /// The beginning of what the first connection brings.
    events: &'static [Expected],
    then: Then,
    /// What it says of the reconnection time.
    reconnection_ms: Option<u64>,
}

/// What comes behind the events of a case.
#[derive(Clone, Copy)]
enum Then {
    /// The response goes on.
    More,
    /// The response ends, and the next one is the same.
    EndAndSame,
    /// The response ends, and the next one brings these, by the last event ID.
    EndAndNext(&'static [Expected]),
}

/// An event, as far as it is known before.
struct Expected {
    event_type: &'static str,
    data: Data,
    id: Id,
}

#[derive(Clone, Copy)]
enum Data {
    Is(&'static str),
    /// Where the time of day is part of it.
    Contains(&'static str),
}

#[derive(Clone, Copy)]
enum Id {
    None,
    /// The server chose one, which cannot be known.
    Some,
    Is(&'static str),
}

use Data::{Contains, Is};

const fn event(event_type: &'static str, data: Data, id: Id) -> Expected {
    Expected { event_type, data, id }
}

const CASES: &[Case] = &[
    Case {
        name: "Node's http server",
        start: server::node_http,
        events: &[event("message", Contains(" GMT"), Id::None), event("message", Contains(" GMT"), Id::None)],
        then: Then::More,
        reconnection_ms: Some(6_000),
    },
    Case {
        name: "Node's http server with timeMessage",
        start: server::node_http_time_message,
        events: &[
            event("message", Contains(" GMT"), Id::None),
            event("timeMessage", Contains(" GMT"), Id::None),
            event("timeMessage", Contains(" GMT"), Id::None),
        ],
        then: Then::More,
        reconnection_ms: Some(6_000),
    },
    Case {
        name: "Express",
        start: server::express,
        events: &[
            event("message", Is("Hello from server"), Id::None),
            event("message", Is("Hello from server"), Id::None),
        ],
        then: Then::More,
        reconnection_ms: None,
    },
    Case {
        name: "PHP",
        start: server::php,
        events: &[event("message", Contains("The server time is: "), Id::None)],
        then: Then::EndAndSame,
        reconnection_ms: None,
    },
    Case {
        name: "ASP.NET",
        start: server::dot_net,
        events: &[event("sentMessage", Is("推送至客户端的数据"), Id::None)],
        then: Then::EndAndSame,
        reconnection_ms: Some(1_000),
    },
    Case {
        name: "ASP as printed, without a blank line",
        start: server::asp_as_printed,
        events: &[],
        then: Then::EndAndSame,
        reconnection_ms: None,
    },
    Case {
        name: "ASP with the blank line",
        start: server::asp_with_blank_line,
        events: &[event("message", Is("The server time is: 2026/11/21 15:56:40"), Id::None)],
        then: Then::EndAndSame,
        reconnection_ms: None,
    },
    Case {
        name: "better-sse",
        start: server::better_sse,
        events: &[
            event("counter", Is(r#"{"number":1,"text":"über\nzwei"}"#), Id::Is("1")),
            event("counter", Is(r#"{"number":2,"text":"über\nzwei"}"#), Id::Is("2")),
            event("counter", Is(r#"{"number":3,"text":"über\nzwei"}"#), Id::Is("3")),
        ],
        then: Then::EndAndNext(&[
            event("counter", Is(r#"{"number":4,"text":"über\nzwei"}"#), Id::Is("4")),
            event("counter", Is(r#"{"number":5,"text":"über\nzwei"}"#), Id::Is("5")),
        ]),
        reconnection_ms: Some(100),
    },
    Case {
        name: "sse-starlette",
        start: server::sse_starlette,
        events: &[
            event("counter", Is("1\nüber"), Id::Is("1")),
            event("counter", Is("2\nüber"), Id::Is("2")),
            event("counter", Is("3\nüber"), Id::Is("3")),
        ],
        then: Then::EndAndNext(&[
            event("counter", Is("4\nüber"), Id::Is("4")),
            event("counter", Is("5\nüber"), Id::Is("5")),
        ]),
        reconnection_ms: Some(100),
    },
    Case {
        name: "Nginx with Nchan",
        start: server::nchan,
        events: &[event("message", Is("one"), Id::Some), event("message", Is("zwei\nдва"), Id::Some)],
        then: Then::More,
        reconnection_ms: None,
    },
    Case {
        name: "fanfare serve",
        start: server::fanfare,
        events: &[event("greeting", Is("one"), Id::Is("first")), event("message", Is("zwei\nдва"), Id::Some)],
        then: Then::More,
        reconnection_ms: Some(250),
    },
];

#[test]
fn each_server_sends_what_it_is_known_to_send() {
    for case in CASES {
        println!("{}", case.name);
        let server = (case.start)();
        let mut transfer = Transfer::start(&server.url, "");
        let head = &transfer.head;
        assert!(head.starts_with("http/1.1 200") && head.contains("\r\ncontent-type: text/event-stream"), "{head}");
        for expected in case.events {
            let received = transfer.next().unwrap_or_else(|| panic!("{}: an event is missing", case.name));
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
        match source.signal() {
            Some(Signal::Event(event)) => {
                expected.check(&Received::from(&event));
                assert!(server.url.starts_with(&format!("{}/", event.origin)), "{event:?}");
            }
            other => panic!("{other:?} in place of an event"),
        }
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

impl Expected {
    fn check(&self, received: &Received) {
        assert_eq!(received.event_type, self.event_type, "{received:?}");
        match self.data {
            Is(data) => assert_eq!(received.data, data),
            Contains(part) => assert!(received.data.contains(part), "{received:?}"),
        }
        match self.id {
            Id::None => assert_eq!(received.id, ""),
            Id::Some => assert_ne!(received.id, ""),
            Id::Is(id) => assert_eq!(received.id, id),
        }
    }
}
