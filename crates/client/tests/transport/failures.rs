//! Failures: what went wrong, and whose fault it was.

use crate::{closed_port, direct, fetch, get, server::Server};
use fanfare_client::{
    Cause, EventSource, Reconnect, Signal,
    transport::{CustomRoots, Failure, HyperError, HyperTransport, Proxy, Roots},
};
use futures_util::StreamExt as _;
use http::StatusCode;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tower_service::Service as _;

async fn failure(transport: HyperTransport, url: &str) -> HyperError {
    transport.clone().call(get(url)).await.expect_err("no answer")
}

/// A server that answers each connection with these bytes, once it has read something, and closes.
async fn saying(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let _ = socket.read(&mut [0; 4096]).await;
            let _ = socket.write_all(bytes).await;
        }
    });
    port
}

fn trusting_nobody_else() -> Roots {
    let made = rcgen::generate_simple_self_signed(["other".to_owned()]).expect("a certificate");
    Roots::Custom(CustomRoots::from_der([made.cert.der().clone()]).expect("a root"))
}

#[tokio::test]
async fn tls_where_there_is_none_and_none_where_there_is_are_told() {
    let (secure, _) = Server::secure(&["http/1.1"]).await;
    let error = failure(direct().build(), &secure.http("/")).await;
    assert_eq!(*error.failure(), Failure::TlsServer);
    assert_eq!(error.to_string(), "the server uses TLS on this port: use https:// in place of http://");

    for plain in [saying(b"HTTP/1.1 400 Bad Request\r\n\r\n").await, Server::plain().await.address.port()] {
        let url = format!("https://localhost:{plain}/");
        let error = failure(direct().roots(trusting_nobody_else()).build(), &url).await;
        assert!(matches!(error.failure(), Failure::PlainServer | Failure::Connect), "{error:?}");
    }
    let port = saying(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let error = failure(direct().roots(trusting_nobody_else()).build(), &format!("https://localhost:{port}/")).await;
    assert!(error.to_string().starts_with("the server does not use TLS on this port"), "{error}");
    let error = failure(direct().build(), &format!("http://127.0.0.1:{}/", saying(b"SSH-2.0-x\r\n").await)).await;
    assert_eq!(*error.failure(), Failure::NotHttp, "{error}");
}

#[tokio::test]
async fn a_proxy_is_named_with_what_it_said() {
    let through = |port: u16| {
        let proxy = format!("http://user:secret@127.0.0.1:{port}").parse().expect("a proxy");
        HyperTransport::builder().proxy(Proxy::Url(proxy)).roots(trusting_nobody_else()).build()
    };
    let port = saying(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    let error = failure(through(port), "https://origin.invalid/").await;
    assert_eq!(*error.failure(), Failure::ProxyRefused(StatusCode::PROXY_AUTHENTICATION_REQUIRED));
    let said = format!("the proxy http://127.0.0.1:{port}/ answered 407 Proxy Authentication Required");
    assert_eq!(error.to_string(), said);
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");

    let (_held, away) = closed_port();
    for url in ["https://origin.invalid/", "http://origin.invalid/"] {
        let error = failure(through(away), url).await;
        assert_eq!(*error.failure(), Failure::Proxy);
        let said = format!("cannot use the proxy http://127.0.0.1:{away}/: tcp connect error");
        assert!(error.to_string().starts_with(&said), "{error}");
    }

    for (answer, said) in [
        (
            &b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n"[..],
            "the proxy http://P/ answered 407",
        ),
        (
            b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
            "the server answered 502 Bad Gateway, through the proxy http://P/",
        ),
    ] {
        let port = saying(answer).await;
        let source = EventSource::builder("http://origin.invalid/").transport(through(port)).build();
        let error = source.expect("it can be built").open().await.expect_err("a refusal");
        let told = error.to_string().replace(&format!("127.0.0.1:{port}"), "P");
        assert!(told.starts_with(said), "{told}");
    }
}

/// Time passes by itself where nothing else can happen.
#[tokio::test(start_paused = true)]
async fn the_time_to_connect_is_apart_from_that_for_a_response() {
    // It accepts, and says nothing: not even what TLS begins with.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    let transport = || direct().roots(trusting_nobody_else()).build();
    let builder = |scheme: &str| {
        let policy = Reconnect::spec().max_attempts(1);
        EventSource::builder(format!("{scheme}://localhost:{port}/")).transport(transport()).reconnect(policy)
    };
    for (timeout, expected) in [(None, 30), (Some(7), 7)] {
        let mut source = builder("https");
        if let Some(seconds) = timeout {
            source = source.connect_timeout(Duration::from_secs(seconds));
        }
        let error = source.build().expect("it can be built").open().await.expect_err("no connection");
        assert_eq!(error.to_string(), format!("cannot connect within {expected}s"));
    }
    let source = builder("http").connect_timeout(Duration::from_secs(7)).build();
    let error = source.expect("it can be built").open().await.expect_err("no response");
    assert_eq!(error.to_string(), "no response came within 300s");
    let source = builder("http").response_timeout(Duration::from_secs(9)).build();
    let error = source.expect("it can be built").open().await.expect_err("no response");
    assert_eq!(error.to_string(), "no response came within 9s");
}

#[tokio::test]
async fn a_stream_that_broke_is_not_one_that_was_not_reached() {
    let head =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";
    let url = format!("http://127.0.0.1:{}/", saying(head).await);
    let source = EventSource::builder(url).transport(direct().build()).build().expect("it can be built");
    let signals: Vec<_> = source.signals().take(3).collect().await;
    let [Ok(Signal::Open(_)), Ok(Signal::Event(_)), Ok(Signal::Reconnecting { cause, .. })] = &signals[..] else {
        panic!("{signals:?}")
    };
    assert!(matches!(cause, Cause::Broken(_)) && cause.to_string().starts_with("the stream failed"), "{cause}");
}

#[tokio::test]
async fn more_authorities_and_none_at_all_can_be_trusted() {
    let (server, certificate) = Server::secure(&["http/1.1"]).await;
    let pem = {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(&certificate);
        format!("# mine\n-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    };
    let mine = CustomRoots::from_pem(&pem).expect("a root");
    let mut transport = direct().roots(trusting_nobody_else()).add_roots(mine).build();
    fetch(&mut transport, get(&server.https("/"))).await.expect("an answer");
    for pem in ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        CustomRoots::from_pem(pem).expect_err("no certificate");
    }
    let url = format!("https://{}/", server.address);
    let strict = direct().roots(trusting_nobody_else()).build();
    assert_eq!(*failure(strict, &url).await.failure(), Failure::Tls);
    let mut anybody = direct().roots(trusting_nobody_else()).danger_accept_invalid_certificates(true).build();
    fetch(&mut anybody, get(&url)).await.expect("an answer");
}
