//! The servers that our client is tried with.
//!
//! Those of the seed documents are the programs of `servers/`, as far as their languages are to be had; the others send
//! the bytes that theirs would, which lie there too.
use crate::{http, hub::Hub, installed, nginx::Nginx, program::Program, scripted::Scripted};
use std::{any::Any, process::Command};

/// How often the servers that send for ever send something, in place of the seconds that the documents let pass.
const INTERVAL_MS: &str = "20";

/// A server that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where its event stream is.
    pub url: String,
    /// Where more can be published, with those that let one.
    pub publish: Option<String>,
    /// What ends with it.
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

/// Node's http server: the date, as `message`.
#[must_use]
pub fn node_http() -> Server {
    let mut node = installed::node("servers/node-http.cjs");
    node.env("INTERVAL_MS", INTERVAL_MS);
    Server::program(node, "/sse")
}

/// The same, with `timeMessage` after the first.
#[must_use]
pub fn node_http_time_message() -> Server {
    let mut node = installed::node("servers/node-http.cjs");
    node.env("INTERVAL_MS", INTERVAL_MS).env("VARIANT", "timeMessage");
    Server::program(node, "/sse")
}

/// Express.
#[must_use]
pub fn express() -> Server {
    let mut node = installed::node("servers/express.cjs");
    node.env("INTERVAL_MS", INTERVAL_MS);
    Server::program(node, "/event-stream")
}

/// PHP: one event, then the end, so that clients poll.
#[must_use]
pub fn php() -> Server {
    Server::program(installed::php(), "/demo_sse.php")
}

/// ASP.NET: one event, and behind its blank line the reconnection time, in a response of known length.
#[must_use]
pub fn dot_net() -> Server {
    Server::scripted(include_str!("../servers/dot-net.http"))
}

/// ASP as it is printed: no blank line, so that what it sends is no event. After `Response.Flush` the length is no
/// longer known: one chunk, and the end.
#[must_use]
pub fn asp_as_printed() -> Server {
    Server::scripted(include_str!("../servers/asp-as-printed.http"))
}

/// ASP with the blank line that it lacks.
#[must_use]
pub fn asp_with_blank_line() -> Server {
    Server::scripted(include_str!("../servers/asp-with-blank-line.http"))
}

/// better-sse: three numbered events a connection, behind the last event ID.
#[must_use]
pub fn better_sse() -> Server {
    Server::program(installed::node("servers/better-sse.mjs"), "/sse")
}

/// sse-starlette: the same, with lines that end in CR LF.
#[must_use]
pub fn sse_starlette() -> Server {
    Server::program(installed::python("servers/sse_starlette_app.py"), "/sse")
}

/// Nginx with Nchan, and two messages, the second of two lines.
#[must_use]
pub fn nchan() -> Server {
    let nginx = Nginx::start();
    let (url, publish) = (format!("{}/sub/news", nginx.url), format!("{}/pub/news", nginx.url));
    for data in ["one", "zwei\nдва"] {
        http::post(&publish, data).unwrap();
    }
    Server { url, publish: Some(publish), _running: Box::new(nginx) }
}

/// Our own hub, with two updates.
#[must_use]
pub fn fanfare() -> Server {
    let hub = Hub::start();
    hub.publish("news?type=greeting&id=first&retry=250", "one").unwrap();
    hub.publish("news", "zwei\nдва").unwrap();
    let (url, publish) = (hub.topic("news?last_event_id=earliest"), Some(hub.topic("news")));
    Server { url, publish, _running: Box::new(hub) }
}
