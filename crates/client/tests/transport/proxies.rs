//! Proxies whose part is scripted.

use fanfare_client::transport::{CustomRoots, HyperTransport, HyperTransportBuilder, Proxy, Roots};
use http::Version;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tower_service::Service;

use crate::{fetch, get, server::Server};

/// The behaviour of a proxy once it has read a request's head.
enum Part {
    Answer(&'static str),
    /// Connects to whom it was asked for.
    Connect,
}

/// Serves one connection, and gives the head that it read.
async fn proxy(part: Part) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    let serve = async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.expect("a request"));
        }
        let head = String::from_utf8(head).expect("text");
        match part {
            Part::Answer(answer) => socket.write_all(answer.as_bytes()).await.expect("to answer"),
            Part::Connect => {
                let target = head.split(' ').nth(1).expect("a target");
                let mut origin = TcpStream::connect(target).await.expect("an origin");
                socket.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.expect("to answer");
                tokio::spawn(async move { copy_bidirectional(&mut socket, &mut origin).await });
            }
        }
        head
    };
    (port, tokio::spawn(serve))
}

fn through(proxy: &str) -> HyperTransportBuilder {
    HyperTransport::builder().proxy(Proxy::Url(proxy.parse().expect("a proxy")))
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn a_proxy_is_sent_the_whole_url_and_its_password() {
    let (port, served) = proxy(Part::Answer(OK)).await;
    let mut transport = through(&format!("http://user:secret@127.0.0.1:{port}")).build();
    let response = fetch(&mut transport, get("http://origin.invalid/path?a=b")).await.expect("an answer");
    assert_eq!(response.body(), "ok");
    let head = served.await.expect("no panic").to_ascii_lowercase();
    assert!(head.starts_with("get http://origin.invalid/path?a=b http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nhost: origin.invalid\r\n"), "{head}");
    assert!(head.contains("\r\nproxy-authorization: basic dxnlcjpzzwnyzxq=\r\n"), "{head}");
}

#[tokio::test]
async fn an_origin_with_tls_is_reached_through_a_tunnel() {
    for protocols in [&["http/1.1"][..], &["h2"]] {
        let (server, certificate) = Server::secure(protocols).await;
        let (port, served) = proxy(Part::Connect).await;
        let roots = Roots::Custom(CustomRoots::from_der([certificate]).expect("a root"));
        let mut transport = through(&format!("http://user:secret@127.0.0.1:{port}")).roots(roots).build();
        let response = fetch(&mut transport, get(&server.https("/path"))).await.expect("an answer");
        assert_eq!(response.body(), "ok");
        let head = served.await.expect("no panic");
        let target = format!("localhost:{}", server.address.port());
        assert!(head.starts_with(&format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n")), "{head}");
        assert!(head.contains("Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"), "{head}");
        // What the proxy was told is not for the origin.
        assert!(!server.seen_one().headers.contains_key("proxy-authorization"));
    }
}

#[tokio::test]
async fn http2_by_prior_knowledge_is_tunnelled() {
    let server = Server::plain().await;
    let (port, served) = proxy(Part::Connect).await;
    let mut transport = through(&format!("127.0.0.1:{port}")).http2_prior_knowledge(true).build();
    fetch(&mut transport, get(&server.http("/"))).await.expect("an answer");
    assert_eq!(server.seen_one().version, Version::HTTP_2);
    assert!(served.await.expect("no panic").starts_with(&format!("CONNECT {} ", server.address)));
}

#[tokio::test]
async fn a_proxy_that_refuses_is_told() {
    let (_, certificate) = Server::secure(&[]).await;
    for (answer, expected) in [
        ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "answered 407 Proxy Authentication Required"),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "answered 502 Bad Gateway"),
        ("", "unexpected end of file"),
    ] {
        let (port, _served) = proxy(Part::Answer(answer)).await;
        let roots = Roots::Custom(CustomRoots::from_der([certificate.clone()]).expect("a root"));
        let mut transport = through(&format!("http://127.0.0.1:{port}")).roots(roots).build();
        let error = transport.call(get("https://origin.invalid/")).await.expect_err("no tunnel");
        assert!(error.is_connect() && error.to_string().contains(expected), "{error}");
    }
}

/// RFC 1928 and 1929, with a name that the proxy resolves.
#[tokio::test]
async fn a_socks_proxy_is_asked_for_name_and_port() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let steps: [(&[u8], &[u8]); 3] = [
            (b"\x05\x01\x02", b"\x05\x02"),
            (b"\x01\x04user\x06secret", b"\x01\x00"),
            // A URL without a port has that of its scheme.
            (b"\x05\x01\x00\x03\x0eorigin.invalid\x00\x50", b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"),
        ];
        for (expected, answer) in steps {
            let mut said = vec![0; expected.len()];
            socket.read_exact(&mut said).await.expect("to be asked");
            assert_eq!(said, expected);
            socket.write_all(answer).await.expect("to answer");
        }
        let mut line = [0; 16];
        socket.read_exact(&mut line).await.expect("a request");
        assert_eq!(&line, b"GET / HTTP/1.1\r\n");
        socket.write_all(OK.as_bytes()).await.expect("to answer");
        // Until the peer has read it.
        let _ = socket.read_to_end(&mut Vec::new()).await;
    });
    let mut transport = through(&format!("socks5://user:secret@127.0.0.1:{port}")).build();
    let response = fetch(&mut transport, get("http://origin.invalid/")).await.expect("an answer");
    assert_eq!(response.body(), "ok");
    drop(transport);
    served.await.expect("no panic");
}

/// The proxy is an ordinary server here, which answers whatever it is asked.
#[tokio::test]
async fn a_proxy_may_be_spoken_to_over_tls() {
    let (server, certificate) = Server::secure(&["h2", "http/1.1"]).await;
    let roots = Roots::Custom(CustomRoots::from_der([certificate]).expect("a root"));
    let mut transport = through(&server.https("")).roots(roots).build();
    fetch(&mut transport, get("http://origin.invalid/path")).await.expect("an answer");
    let seen = server.seen_one();
    assert_eq!((seen.version, seen.uri.to_string()), (Version::HTTP_11, "http://origin.invalid/path".into()));
}
