//! The table of servers, and what each is known to send.
use Data::{Contains, Is};
use fanfare_interop::{
    server::{self, Server},
    subscriber::Received,
};

/// What one server sends.
pub(crate) struct Case {
    pub name: &'static str,
    pub start: fn() -> Server,
    /// The beginning of what the first connection brings.
    pub events: &'static [Expected],
    pub then: Then,
    /// What it says of the reconnection time.
    pub reconnection_ms: Option<u64>,
}

/// What comes behind the events of a case.
#[derive(Clone, Copy)]
pub(crate) enum Then {
    /// The response goes on.
    More,
    /// The response ends, and the next one is the same.
    EndAndSame,
    /// The response ends, and the next one brings these, by the last event ID.
    EndAndNext(&'static [Expected]),
}

/// An event, as far as it is known before.
pub(crate) struct Expected {
    pub event_type: &'static str,
    pub data: Data,
    pub id: Id,
}

#[derive(Clone, Copy)]
pub(crate) enum Data {
    Is(&'static str),
    /// Where the time of day is part of it.
    Contains(&'static str),
}

#[derive(Clone, Copy)]
pub(crate) enum Id {
    None,
    /// The server chose one, which cannot be known.
    Some,
    Is(&'static str),
}

pub(crate) const fn event(event_type: &'static str, data: Data, id: Id) -> Expected {
    Expected { event_type, data, id }
}

pub(crate) const CASES: &[Case] = &[
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

impl Expected {
    /// Fails if it is another one.
    pub(crate) fn check(&self, received: &Received) {
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
