//! The servers that our client is tried with.
//!
//! Those of the seed documents are the programs of `servers/`, as far as their languages are to be had; the others send the
//! bytes that theirs would.
use crate::{PATIENCE, directory::Directory, http, hub::Hub, installed, program::Program, scripted::Scripted};
use std::{
    any::Any,
    fs,
    net::{TcpListener, TcpStream},
    process::Command,
    thread,
    time::{Duration, Instant},
};

/// How often the servers that send for ever send something, in place of the seconds that the documents let pass.
const INTERVAL_MS: &str = "20";

/// A server that runs. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    /// Where its event stream is.
    pub url: String,
    /// What ends with it.
    _running: Vec<Box<dyn Any>>,
}

impl Server {
    fn program(command: Command, path: &str) -> Self {
        let (program, url) = Program::serve(command);
        Self { url: url + path, _running: vec![Box::new(program)] }
    }

    fn scripted(response: String) -> Self {
        let scripted = Scripted::answering(response);
        Self { url: scripted.url() + "/demo_sse", _running: vec![Box::new(scripted)] }
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
    let body = "event:sentMessage\ndata:推送至客户端的数据\n\nretry:1000\n";
    let length = body.len();
    Server::scripted(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Type: text/event-stream\r\nServer: Microsoft-IIS/10.0\r\n\
         X-AspNet-Version: 4.0.30319\r\nX-Powered-By: ASP.NET\r\nConnection: close\r\n\r\n{body}"
    ))
}

/// ASP as it is printed: no blank line, so that what it sends is no event.
#[must_use]
pub fn asp_as_printed() -> Server {
    asp("data: The server time is: 2026/11/21 15:56:40")
}

/// ASP with the blank line that it lacks.
#[must_use]
pub fn asp_with_blank_line() -> Server {
    asp("data: The server time is: 2026/11/21 15:56:40\n\n")
}

/// After `Response.Flush` the length is no longer known: one chunk, and the end.
fn asp(body: &str) -> Server {
    let length = body.len();
    Server::scripted(format!(
        "HTTP/1.1 200 OK\r\nCache-Control: private\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\
         Expires: Sat, 21 Nov 2026 15:55:40 GMT\r\nServer: Microsoft-IIS/10.0\r\nX-Powered-By: ASP.NET\r\n\
         Connection: close\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
    ))
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
    let directory = Directory::new("nginx");
    // It cannot say which port it was given.
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().to_string();
    let template = fs::read_to_string(installed::home().join("servers/nginx.conf")).unwrap();
    let module = installed::nchan();
    let values = [
        ("{module}", module.display().to_string()),
        ("{directory}", directory.0.display().to_string()),
        ("{address}", address.clone()),
    ];
    let text = values.iter().fold(template, |text, (name, value)| text.replace(name, value));
    fs::write(directory.0.join("nginx.conf"), text).unwrap();
    let mut nginx = installed::nginx();
    nginx.arg("-p").arg(&directory.0).args(["-e", "stderr", "-c", "nginx.conf"]);
    let program = Program::start(nginx);
    let begun = Instant::now();
    while TcpStream::connect(&address).is_err() {
        assert!(begun.elapsed() < PATIENCE, "nginx does not listen");
        thread::sleep(Duration::from_millis(10));
    }
    for data in ["one", "zwei\nдва"] {
        http::post(&format!("http://{address}/pub/news"), data).unwrap();
    }
    Server { url: format!("http://{address}/sub/news"), _running: vec![Box::new(program), Box::new(directory)] }
}

/// Our own hub, with two updates.
#[must_use]
pub fn fanfare() -> Server {
    let hub = Hub::start();
    hub.publish("news?type=greeting&id=first&retry=250", "one").unwrap();
    hub.publish("news", "zwei\nдва").unwrap();
    Server { url: hub.topic("news?last_event_id=earliest"), _running: vec![Box::new(hub)] }
}
