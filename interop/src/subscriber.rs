//! The clients: programs that print what they receive, curl, and our own.
use crate::{curl::Resuming, event_source::Blocking, installed, program::Program, token};
use fanfare_event_stream::EventRef;
use serde::Deserialize;

/// An event as a client got it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Received {
    /// Its type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Its data.
    pub data: String,
    /// The last event ID as it stands after it.
    pub id: String,
}

impl From<EventRef<'_>> for Received {
    fn from(event: EventRef<'_>) -> Self {
        Self {
            event_type: event.event_type.to_owned(),
            data: event.data.to_owned(),
            id: event.last_event_id.to_owned(),
        }
    }
}

/// A client that runs. It is ended when this is dropped.
#[derive(Debug)]
pub enum Subscriber {
    /// One that prints each event as a line of JSON, and goes on by itself.
    Program(Program),
    /// One that prints what arrives, and is started again.
    Curl(Box<Resuming>),
    /// Our own.
    EventSource(Box<Blocking>),
}

impl Subscriber {
    /// The `EventSource` of an npm package, which listens to `message` and to these types.
    #[must_use]
    pub fn event_source(package: &str, url: &str, types: &[&str]) -> Self {
        let mut node = installed::node("clients/event-source.mjs");
        node.args([package, url]).args(types);
        Self::Program(Program::start(node))
    }

    /// `fetch`, and a parser behind it: `own`, or the one of an npm package.
    #[must_use]
    pub fn fetch(parser: &str, url: &str) -> Self {
        let mut node = installed::node("clients/fetch.mjs");
        node.args([parser, url]);
        Self::Program(Program::start(node))
    }

    /// `httpx-sse`.
    #[must_use]
    pub fn httpx_sse(url: &str) -> Self {
        let mut python = installed::python("clients/httpx_sse_client.py");
        python.arg(url);
        Self::Program(Program::start(python))
    }

    /// An npm package on a Mercure hub, its token brought by this carrier: `header`, `cookie`, or `query`, which is in
    /// the URL.
    #[must_use]
    pub fn npm_mercure(package: &str, url: &str, carrier: &str, token: &str, types: &[&str]) -> Self {
        let mut node = installed::node("clients/mercure.mjs");
        node.args([package, url, carrier, token]).args(types);
        Self::Program(Program::start(node))
    }

    /// Symfony's HTTP client on a Mercure hub, with a token of its own making for this topic selector, in the header or
    /// in the cookie.
    #[must_use]
    pub fn symfony(url: &str, carrier: &str, selector: &str) -> Self {
        let mut php = installed::php_script("clients/symfony.php");
        php.args(["subscribe", url, token::KEY, selector, carrier]);
        Self::Program(Program::start(php))
    }

    /// pymercure, which has no token, and is subscribed when this returns.
    #[must_use]
    pub fn pymercure(hub_url: &str, topics: &[&str]) -> Self {
        let mut python = installed::python("clients/pymercure_client.py");
        python.args(["subscribe", hub_url]).args(topics);
        let program = Program::start(python);
        assert_eq!(program.line(), "subscribed");
        Self::Program(program)
    }

    /// curl.
    #[must_use]
    pub fn curl(url: &str) -> Self {
        Self::Curl(Box::new(Resuming::start(url)))
    }

    /// Our own client.
    #[must_use]
    pub fn fanfare(url: &str) -> Self {
        Self::EventSource(Box::new(Blocking::open(url)))
    }

    /// The next event.
    ///
    /// # Panics
    /// If there is none in time.
    pub fn event(&mut self) -> Received {
        match self {
            Self::Program(program) => {
                let line = program.line();
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
            }
            Self::Curl(curl) => curl.event(),
            Self::EventSource(source) => source.event(),
        }
    }
}
