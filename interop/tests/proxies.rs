//! Proxies as the documentation has them, before the hub: nothing waits in them, an open hub knows them, and a
//! browser's stream outlives a restart of the hub.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use fanfare_interop::{
    PATIENCE,
    hub::Hub,
    proxy::{Kind, Proxy},
    token,
};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

const KINDS: [Kind; 3] = [Kind::Nginx, Kind::Caddy, Kind::Haproxy];
const STREAM: &str = "Accept: text/event-stream\r\n";
/// When nothing is held back, an event is there in some milliseconds; a buffer holds it until the next heartbeat, or
/// for ever.
const AT_ONCE: Duration = Duration::from_millis(900);

/// A request on a connection of its own.
fn send(address: SocketAddr, request: &str, headers: &str, body: &str) -> TcpStream {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}");
    socket.write_all(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    socket
}

/// Reads until `wanted` has come, and returns all that has.
fn read_until(socket: &mut TcpStream, wanted: &str) -> String {
    let mut seen = Vec::new();
    let mut piece = [0; 4_096];
    loop {
        let text = String::from_utf8_lossy(&seen).into_owned();
        if text.contains(wanted) {
            return text;
        }
        match socket.read(&mut piece).unwrap() {
            0 => panic!("no {wanted:?} in {text}"),
            count => seen.extend_from_slice(&piece[..count]),
        }
    }
}

/// The whole answer.
fn answer(address: SocketAddr, request: &str, headers: &str, body: &str) -> String {
    let mut text = String::new();
    send(address, request, headers, body).read_to_string(&mut text).unwrap();
    text
}

/// A hub with a key, and one proxy of each kind before it.
fn hub_with_a_key() -> (Hub, String) {
    let hub = Hub::start_with(&["--key", token::KEY, "--allow-short-keys", "--anonymous"]);
    let bearer = format!("Authorization: Bearer {}\r\n", token::publisher("*"));
    (hub, bearer)
}

#[test]
fn events_pass_at_once() {
    let (hub, bearer) = hub_with_a_key();
    for kind in KINDS {
        let proxy = Proxy::start(kind, &hub.url);
        let topic = format!("/topics/{kind:?}");
        let mut stream = send(proxy.address, &format!("GET {topic}"), STREAM, "");
        let head = read_until(&mut stream, "\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200"), "{kind:?}: {head}");
        assert!(head.to_ascii_lowercase().contains("content-type: text/event-stream"), "{kind:?}: {head}");
        for number in 0..5 {
            let data = format!("event {number}");
            let begun = Instant::now();
            let published = answer(proxy.address, &format!("POST {topic}"), &bearer, &data);
            assert!(published.starts_with("HTTP/1.1 200"), "{kind:?}: {published}");
            read_until(&mut stream, &format!("data: {data}\n\n"));
            assert!(begun.elapsed() < AT_ONCE, "{kind:?}: {:?} for {data}", begun.elapsed());
        }
    }
}

/// A publication that goes on and on is published while it does.
#[test]
fn a_streamed_publication_passes_at_once() {
    let (hub, bearer) = hub_with_a_key();
    for kind in KINDS {
        let proxy = Proxy::start(kind, &hub.url);
        let mut stream = send(proxy.address, &format!("GET /topics/{kind:?}"), STREAM, "");
        read_until(&mut stream, "\r\n\r\n");
        let mut publisher = TcpStream::connect(proxy.address).unwrap();
        let head = format!("POST /topics/{kind:?} HTTP/1.1\r\nHost: {}\r\n{bearer}", proxy.address);
        write!(publisher, "{head}Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        for number in 0..3 {
            let event = format!("data: {number}\n\n");
            write!(publisher, "{:x}\r\n{event}\r\n", event.len()).unwrap();
            read_until(&mut stream, &event);
        }
    }
}

#[test]
fn an_open_hub_refuses_what_they_let_in() {
    let (open, told) = (Hub::start(), Hub::start_with(&["--open-behind-proxy"]));
    for kind in KINDS {
        let proxy = Proxy::start(kind, &open.url);
        for request in ["GET /", "GET /healthz", "GET /topics/a?until=now", "POST /topics/a"] {
            let refused = answer(proxy.address, request, "", "");
            assert!(refused.starts_with("HTTP/1.1 403"), "{kind:?} {request}: {refused}");
            assert!(refused.contains("open-behind-proxy"), "{kind:?} {request}: {refused}");
        }
        let proxy = Proxy::start(kind, &told.url);
        let read = answer(proxy.address, "GET /topics/a?until=now", "", "");
        assert!(read.starts_with("HTTP/1.1 200"), "{kind:?}: {read}");
    }
}

/// As little as it takes to have nginx pass requests on: it adds no header of its own.
#[test]
fn an_open_hub_knows_nginx_by_how_it_asks() {
    let hub = Hub::start();
    let block = "server {\nlisten 80;\nlocation / {\nproxy_pass http://127.0.0.1:3000;\n}\n}\n";
    let proxy = Proxy::with(Kind::Nginx, &hub.url, block);
    let refused = answer(proxy.address, "GET /topics/a?until=now", "", "");
    assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("open-behind-proxy"), "{refused}");
}

/// WHATWG HTML, 9.2.3: any status but 200 ends an `EventSource` for good. A publisher has to hear of it.
/// What a proxy answers for the hub. Some clients would take a block that only has a `retry` for an empty event.
const LATER: &str = "retry: 5000\nevent: fanfare.end\ndata: {\"reason\":\"later\"}\n\n";

#[test]
fn a_stream_is_told_to_come_back_while_the_hub_is_away() {
    let (mut hub, bearer) = hub_with_a_key();
    for kind in KINDS {
        let proxy = Proxy::start(kind, &hub.url);
        hub.kill();
        let begun = Instant::now();
        // HAProxy looks every second whether the hub is there.
        let later = loop {
            let later = answer(proxy.address, "GET /topics/a", STREAM, "");
            if later.starts_with("HTTP/1.1 200") || begun.elapsed() > PATIENCE {
                break later;
            }
            thread::sleep(Duration::from_millis(50));
        };
        assert!(later.starts_with("HTTP/1.1 200") && later.contains(LATER), "{kind:?}: {later}");
        assert!(later.to_ascii_lowercase().contains("content-type: text/event-stream"), "{kind:?}: {later}");
        // Without a body, whose rest a proxy may answer with a reset.
        let lost = answer(proxy.address, "POST /topics/a", &bearer, "");
        assert!(lost.starts_with("HTTP/1.1 50"), "{kind:?}: {lost}");
        hub.restart();
    }
}
