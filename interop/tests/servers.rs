//! Servers of other people's making, and what comes from them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use fanfare_interop::{
    curl::Transfer,
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
    /// Whether the response goes on for ever, or ends behind these events.
    goes_on: bool,
    /// What it says of the reconnection time.
    reconnection_ms: Option<u64>,
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
        goes_on: true,
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
        goes_on: true,
        reconnection_ms: Some(6_000),
    },
    Case {
        name: "Express",
        start: server::express,
        events: &[
            event("message", Is("Hello from server"), Id::None),
            event("message", Is("Hello from server"), Id::None),
        ],
        goes_on: true,
        reconnection_ms: None,
    },
    Case {
        name: "PHP",
        start: server::php,
        events: &[event("message", Contains("The server time is: "), Id::None)],
        goes_on: false,
        reconnection_ms: None,
    },
    Case {
        name: "ASP.NET",
        start: server::dot_net,
        events: &[event("sentMessage", Is("推送至客户端的数据"), Id::None)],
        goes_on: false,
        reconnection_ms: Some(1_000),
    },
    Case {
        name: "ASP as printed, without a blank line",
        start: server::asp_as_printed,
        events: &[],
        goes_on: false,
        reconnection_ms: None,
    },
    Case {
        name: "ASP with the blank line",
        start: server::asp_with_blank_line,
        events: &[event("message", Is("The server time is: 2026/11/21 15:56:40"), Id::None)],
        goes_on: false,
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
        goes_on: false,
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
        goes_on: false,
        reconnection_ms: Some(100),
    },
    Case {
        name: "Nginx with Nchan",
        start: server::nchan,
        events: &[event("message", Is("one"), Id::Some), event("message", Is("zwei\nдва"), Id::Some)],
        goes_on: true,
        reconnection_ms: None,
    },
    Case {
        name: "fanfare serve",
        start: server::fanfare,
        events: &[event("greeting", Is("one"), Id::Is("first")), event("message", Is("zwei\nдва"), Id::Some)],
        goes_on: true,
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
        if !case.goes_on {
            assert_eq!(transfer.next(), None, "{}", case.name);
        }
        assert_eq!(transfer.reconnection_time(), case.reconnection_ms.map(Duration::from_millis), "{}", case.name);
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
