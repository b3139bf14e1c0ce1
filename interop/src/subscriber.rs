//! The clients that the hub is tested with: programs that print the events that they receive, curl, Rust crates, and
//! the client of this repository.
use crate::{crates::Crate, curl::Resuming, event_source::Blocking, installed, program::Program, token};
use fanfare_event_stream::EventRef;
use serde::{Deserialize, de::IgnoredAny};
use std::collections::HashMap;

/// The type of the event with which the hub begins each event stream.
pub const START_EVENT: &str = "fanfare.start";

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

/// An event as a client handed it over to its application, and what came of parsing its data as JSON.
#[derive(Clone, Debug, Deserialize)]
pub struct HandedOver {
    /// The event.
    #[serde(flatten)]
    pub event: Received,
    /// The error that parsing the data as JSON ended with; empty if the data is JSON. Programs parse it themselves.
    pub thrown: String,
}

impl From<Received> for HandedOver {
    fn from(event: Received) -> Self {
        let thrown = serde_json::from_str::<IgnoredAny>(&event.data).map_err(|error| error.to_string());
        Self { event, thrown: thrown.err().unwrap_or_default() }
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
    /// A Rust crate of other people's making.
    Crate(Crate),
}

impl Subscriber {
    /// Starts the event source of an npm package, which listens to `message` and to these event types.
    #[must_use]
    pub fn npm(package: &str, url: &str, types: &[&str]) -> Self {
        Self::npm_with(package, url, &[], types)
    }

    /// Starts the event source of an npm package, as [`Self::npm`] does, with these header fields.
    #[must_use]
    pub fn npm_with(package: &str, url: &str, headers: &[(&str, String)], types: &[&str]) -> Self {
        let headers: HashMap<_, _> = headers.iter().cloned().collect();
        let mut node = installed::node("clients/npm.mjs");
        node.args([package, url, &serde_json::to_string(&headers).unwrap()]).args(types);
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

    /// Starts Symfony's HTTP client. It makes its own token for this topic selector, and sends it in the header or in
    /// the cookie, or sends none. `carrier` says which: `header`, `cookie` or `none`.
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

    /// Returns the next event that the client hands over, of whatever type.
    ///
    /// # Panics
    /// If no event comes in time.
    pub fn handed_over(&mut self) -> HandedOver {
        match self {
            Self::Program(program) => {
                let line = program.line();
                serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
            }
            Self::Curl(curl) => curl.event().into(),
            Self::EventSource(source) => source.event().into(),
            Self::Crate(source) => source.event().into(),
        }
    }

    /// Returns the next event, except start events: clients that have no listeners for each type hand them over too.
    ///
    /// # Panics
    /// If no event comes in time.
    pub fn event(&mut self) -> Received {
        loop {
            let event = self.handed_over().event;
            if event.event_type != START_EVENT {
                return event;
            }
        }
    }
}
