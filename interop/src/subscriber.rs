//! The clients that the hub is tested with: programs that print the events that they receive, curl, and the client of
//! this repository.
use crate::{curl::Resuming, event_source::Blocking, installed, program::Program, token};
use fanfare_event_stream::EventRef;
use serde::Deserialize;

/// An event as a client received it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Received {
    /// The event type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The data of the event.
    pub data: String,
    /// The last event ID after this event.
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

/// A running client. It stops when this value is dropped.
#[derive(Debug)]
pub enum Subscriber {
    /// A program that prints each event as a line of JSON, and reconnects by itself.
    Program(Program),
    /// A curl process, which this crate starts again each time that it ends.
    Curl(Box<Resuming>),
    /// The client of this repository.
    EventSource(Box<Blocking>),
}

impl Subscriber {
    /// Starts the `EventSource` of an npm package, which listens to `message` and to these event types.
    #[must_use]
    pub fn event_source(package: &str, url: &str, types: &[&str]) -> Self {
        let mut node = installed::node("clients/event-source.mjs");
        node.args([package, url]).args(types);
        Self::Program(Program::start(node))
    }

    /// Starts a program that uses `fetch` and a parser: `own`, or the name of an npm package.
    #[must_use]
    pub fn fetch(parser: &str, url: &str) -> Self {
        let mut node = installed::node("clients/fetch.mjs");
        node.args([parser, url]);
        Self::Program(Program::start(node))
    }

    /// Starts a program that uses `httpx-sse`.
    #[must_use]
    pub fn httpx_sse(url: &str) -> Self {
        let mut python = installed::python("clients/httpx_sse_client.py");
        python.arg(url);
        Self::Program(Program::start(python))
    }

    /// Starts an npm package on a Mercure hub. `carrier` says where the token is sent: `header`, `cookie`, or `query`,
    /// if the token is in the URL.
    #[must_use]
    pub fn npm_mercure(package: &str, url: &str, carrier: &str, token: &str, types: &[&str]) -> Self {
        let mut node = installed::node("clients/mercure.mjs");
        node.args([package, url, carrier, token]).args(types);
        Self::Program(Program::start(node))
    }

    /// Starts Symfony's HTTP client on a Mercure hub. It makes its own token for this topic selector, and sends it in
    /// the header or in the cookie.
    #[must_use]
    pub fn symfony(url: &str, carrier: &str, selector: &str) -> Self {
        let mut php = installed::php_script("clients/symfony.php");
        php.args(["subscribe", url, token::KEY, selector, carrier]);
        Self::Program(Program::start(php))
    }

    /// Starts pymercure without a token. It is subscribed when this returns.
    #[must_use]
    pub fn pymercure(hub_url: &str, topics: &[&str]) -> Self {
        let mut python = installed::python("clients/pymercure_client.py");
        python.args(["subscribe", hub_url]).args(topics);
        let program = Program::start(python);
        assert_eq!(program.line(), "subscribed");
        Self::Program(program)
    }

    /// Starts curl.
    #[must_use]
    pub fn curl(url: &str) -> Self {
        Self::Curl(Box::new(Resuming::start(url)))
    }

    /// Opens `url` with the client of this repository.
    #[must_use]
    pub fn fanfare(url: &str) -> Self {
        Self::EventSource(Box::new(Blocking::open(url)))
    }

    /// Returns the next event.
    ///
    /// # Panics
    /// If no event comes in time.
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
