//! The servers that the client of this repository is tested with.
//!
//! Some are the servers of tutorials from which people learn Server-Sent Events: the programs in `servers/`, if their
//! languages can be installed here. For the other tutorials, `servers/` contains the bytes that their servers would
//! send.
use crate::{http, hub::Hub, installed, nginx::Nginx, program::Program, scripted::Scripted};
use std::{any::Any, process::Command};

/// The interval between events of servers that send without end, in milliseconds. In the tutorials it is some seconds.
const INTERVAL_MS: &str = "20";

/// A running server. It stops when this value is dropped.
#[derive(Debug)]
pub struct Server {
    /// The URL of the event stream.
    pub url: String,
    /// The URL at which a test can publish, if the server has one.
    pub publish: Option<String>,
    /// The process or the thread of the server, which stops when this value is dropped.
    _running: Box<dyn Any>,
}

impl Server {
    fn program(command: Command, path: &str) -> Self {
        let (program, url) = Program::serve(command);
        Self { url: url + path, publish: None, _running: Box::new(program) }
    }

    fn scripted(response: &'static str) -> Self {
        let scripted = Scripted::answering(response);
        Self { url: scripted.url() + "/demo_sse", publish: None, _running: Box::new(scripted) }
    }
}

/// Starts Node's HTTP server, which sends the date in events of the type `message`.
#[must_use]
pub fn node_http() -> Server {
    let mut node = installed::node("servers/node-http.cjs");
    node.env("INTERVAL_MS", INTERVAL_MS);
    Server::program(node, "/sse")
}

/// Starts Node's HTTP server, which sends events of the type `timeMessage` after the first event.
#[must_use]
pub fn node_http_time_message() -> Server {
    let mut node = installed::node("servers/node-http.cjs");
    node.env("INTERVAL_MS", INTERVAL_MS).env("VARIANT", "timeMessage");
    Server::program(node, "/sse")
}

/// Starts a server that uses Express.
#[must_use]
pub fn express() -> Server {
    let mut node = installed::node("servers/express.cjs");
    node.env("INTERVAL_MS", INTERVAL_MS);
    Server::program(node, "/event-stream")
}

/// Starts PHP's server, which sends one event and ends the response, so that clients poll.
#[must_use]
pub fn php() -> Server {
    Server::program(installed::php(), "/demo_sse.php")
}

/// Starts a scripted ASP.NET: a response of known length with one event and, after the event's blank line, the
/// reconnection time.
#[must_use]
pub fn dot_net() -> Server {
    Server::scripted(include_str!("../servers/dot-net.http"))
}

/// Starts a scripted ASP as its tutorial prints it: without a blank line, so it sends no event. After `Response.Flush`
/// the length of the response is not known: it has one chunk and ends.
#[must_use]
pub fn asp_as_printed() -> Server {
    Server::scripted(include_str!("../servers/asp-as-printed.http"))
}

/// Starts a scripted ASP with the blank line that is missing in the tutorial.
#[must_use]
pub fn asp_with_blank_line() -> Server {
    Server::scripted(include_str!("../servers/asp-with-blank-line.http"))
}

/// Starts a server that uses better-sse, and sends the three events after the last event ID on each connection.
#[must_use]
pub fn better_sse() -> Server {
    Server::program(installed::node("servers/better-sse.mjs"), "/sse")
}

/// Starts a server that uses sse-starlette, and sends the three events after the last event ID on each connection, with
/// lines that end in CR LF.
#[must_use]
pub fn sse_starlette() -> Server {
    Server::program(installed::python("servers/sse_starlette_app.py"), "/sse")
}

/// Starts nginx with Nchan, and publishes two messages, of which the second has two lines.
#[must_use]
pub fn nchan() -> Server {
    let nginx = Nginx::start();
    let (url, publish) = (format!("{}/sub/news", nginx.url), format!("{}/pub/news", nginx.url));
    for data in ["one", "zwei\nдва"] {
        http::post(&publish, data).unwrap();
    }
    Server { url, publish: Some(publish), _running: Box::new(nginx) }
}

/// Starts the hub of this repository, and publishes two updates.
#[must_use]
pub fn fanfare() -> Server {
    let hub = Hub::start();
    hub.publish("news?type=greeting&id=first&retry=250", "one").unwrap();
    hub.publish("news", "zwei\nдва").unwrap();
    let (url, publish) = (hub.topic("news?last_event_id=earliest"), Some(hub.topic("news")));
    Server { url, publish, _running: Box::new(hub) }
}
