//! What is special about connections with TLS. The suite of `over_tls.rs` checks everything else over TLS.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use fanfare_hub::{
    Hub, HubLimits,
    log::{MemoryLog, Retention},
    topic::Topic,
    update::{Update, UpdateFields},
};
use fanfare_server::{
    Server, Settings,
    auth::Authenticator,
    listener::Listener,
    settings::Delivery,
    tls::{Certificate, Certificates, HANDSHAKE_TIMEOUT, MAX_HELLO_BYTES, Tls},
};
use rustls::{
    AlertDescription, ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::CertificateDer,
    version::{TLS12, TLS13},
};
use std::{
    io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The longest time that a test waits.
const PATIENCE: Duration = Duration::from_secs(60);

/// A certificate for some names, which only tests trust.
struct Made {
    certificate: Certificate,
    der: CertificateDer<'static>,
}

fn made(names: &[&str]) -> Made {
    let made = rcgen::generate_simple_self_signed(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let made = made.unwrap();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let certificate = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    Made { certificate, der: made.cert.der().clone() }
}

/// A running server with TLS. It stops when this is dropped.
struct Served {
    address: SocketAddr,
    hub: Hub,
    tls: Tls,
    _stop: oneshot::Sender<()>,
}

impl Served {
    async fn start(tls: Tls) -> Self {
        let log = MemoryLog::new(Retention::default());
        let hub = Hub::start(Arc::new(log), &HubLimits::default()).unwrap();
        let mut settings = Settings::default();
        settings.delivery = Delivery::Auto;
        settings.max_subscribers = 1_000;
        let server = Server::new(hub.clone(), Authenticator::open(), settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, told) = oneshot::channel::<()>();
        tokio::spawn(server.serve(Listener::new(listener).with_tls(tls.clone()), async { drop(told.await) }));
        Self { address, hub, tls, _stop: stop }
    }

    async fn with(certificates: &[&Made]) -> Self {
        let certificates = certificates.iter().map(|made| made.certificate.clone()).collect();
        Self::start(Tls::new(Certificates::new(certificates)).unwrap()).await
    }

    async fn connect(&self, client: &ClientConfig, name: &str) -> io::Result<TlsStream<TcpStream>> {
        let socket = TcpStream::connect(self.address).await?;
        let connecting =
            TlsConnector::from(Arc::new(client.clone())).connect(name.to_owned().try_into().unwrap(), socket);
        timeout(PATIENCE, connecting).await.expect("the handshake ends")
    }

    async fn publish(&self, data: &str) {
        let fields = UpdateFields { topics: vec![Topic::new("a").unwrap()], data: data.into(), ..Default::default() };
        self.hub.publish(vec![Update::new(fields).unwrap()]).await.unwrap();
    }

    /// Opens a stream, and reads its first bytes.
    async fn subscribe(&self, client: &ClientConfig) -> TlsStream<TcpStream> {
        let mut stream = self.connect(client, "hub.example").await.unwrap();
        ask(&mut stream, "GET /topics/a").await;
        assert!(read_until(&mut stream, "\"}\n\n\r\n").await.starts_with("HTTP/1.1 200 OK\r\n"));
        stream
    }
}

/// A client that trusts these certificates only.
fn client(trusted: &[&Made], versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    trusted.iter().for_each(|made| roots.add(made.der.clone()).unwrap());
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_protocol_versions(versions).unwrap();
    builder.with_root_certificates(roots).with_no_client_auth()
}

async fn ask(stream: &mut TlsStream<TcpStream>, method_and_target: &str) {
    let request = format!("{method_and_target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

async fn read_until(stream: &mut TlsStream<TcpStream>, wanted: &str) -> String {
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains(wanted) {
        let read = timeout(PATIENCE, stream.read_buf(&mut bytes)).await;
        let seen = || String::from_utf8_lossy(&bytes);
        assert_ne!(read.unwrap_or_else(|_| panic!("no {wanted} in {}", seen())).unwrap(), 0, "{}", seen());
    }
    String::from_utf8(bytes).unwrap()
}

/// Reads to the end, which the server must announce with `close_notify`.
async fn read_to_announced_end(stream: &mut TlsStream<TcpStream>) -> String {
    let mut text = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut text)).await.expect("it ends").expect("the end is announced");
    text
}

/// T1
#[tokio::test]
async fn versions_and_protocols_are_agreed_on() {
    let made = made(&["hub.example"]);
    let server = Served::with(&[&made]).await;
    for (version, agreed) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        for (offered, chosen) in [
            (vec!["h2", "http/1.1"], Some("h2")),
            (vec!["http/1.1", "h2"], Some("h2")),
            (vec!["http/1.1"], Some("http/1.1")),
            (vec![], None),
        ] {
            let mut client = client(&[&made], &[version]);
            client.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
            let mut stream = server.connect(&client, "hub.example").await.unwrap();
            assert_eq!(stream.get_ref().1.protocol_version(), Some(agreed));
            assert_eq!(stream.get_ref().1.alpn_protocol(), chosen.map(str::as_bytes), "{offered:?}");
            if chosen != Some("h2") {
                ask(&mut stream, "GET /healthz").await;
                read_until(&mut stream, "\r\n\r\nok\n").await;
            }
        }
        let mut client = client(&[&made], &[version]);
        client.alpn_protocols = vec![b"spdy/3".to_vec()];
        let refused = server.connect(&client, "hub.example").await.unwrap_err();
        assert!(refused.to_string().contains("NoApplicationProtocol"), "{refused}");
    }
}

/// T3
#[tokio::test]
async fn certificates_are_replaced_under_open_streams() {
    let (old, new) = (made(&["hub.example"]), made(&["hub.example"]));
    let server = Served::with(&[&old]).await;
    let (trusts_old, trusts_new) = (client(&[&old], &[&TLS13]), client(&[&new], &[&TLS13]));
    let mut stream = server.subscribe(&trusts_old).await;
    server.connect(&trusts_new, "hub.example").await.expect_err("the new one is not in use");
    server.tls.certificates().replace(vec![new.certificate.clone()]);
    server.connect(&client(&[&old], &[&TLS13]), "hub.example").await.expect_err("the old one is not in use any more");
    let mut other = server.subscribe(&trusts_new).await;
    server.publish("for both").await;
    for stream in [&mut stream, &mut other] {
        read_until(stream, "data: for both\n\n").await;
    }
}

/// T4
#[tokio::test]
async fn a_client_gets_the_certificate_for_the_name_that_it_asks_for() {
    let (first, second, wild) = (made(&["hub.example", "127.0.0.1"]), made(&["b.example"]), made(&["*.c.example"]));
    let server = Served::with(&[&first, &second, &wild]).await;
    for (name, wanted) in [
        ("hub.example", &first),
        ("b.example", &second),
        ("B.Example", &second),
        ("x.c.example", &wild),
        // A client asks for no name if it has an address.
        ("127.0.0.1", &first),
    ] {
        server.connect(&client(&[wanted], &[&TLS13]), name).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let unknown = server.connect(&client(&[&first], &[&TLS13]), "unknown.example").await.unwrap_err();
    assert!(unknown.to_string().contains("not valid for name"), "it sees the first one: {unknown}");

    let certificates = Certificates::new(vec![first.certificate.clone(), second.certificate.clone()]);
    let strict = Served::start(Tls::new(certificates).unwrap().only_known_names()).await;
    for version in [&TLS12, &TLS13] {
        let all = client(&[&first, &second], &[version]);
        for name in ["hub.example", "b.example", "127.0.0.1"] {
            strict.connect(&all, name).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        let error = strict.connect(&all, "unknown.example").await.unwrap_err();
        let alert = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
        assert_eq!(alert, Some(&rustls::Error::AlertReceived(AlertDescription::UnrecognisedName)), "{error}");
    }
}

/// T5
#[tokio::test]
async fn a_client_that_comes_back_needs_no_full_handshake() {
    let made = made(&["hub.example"]);
    let server = Served::with(&[&made]).await;
    // The same certificate, and other keys for tickets.
    let other = Served::with(&[&made]).await;
    for version in [&TLS12, &TLS13] {
        let client = client(&[&made], &[version]);
        for (server, kind) in [
            (&server, HandshakeKind::Full),
            (&server, HandshakeKind::Resumed),
            (&server, HandshakeKind::Resumed),
            (&other, HandshakeKind::Full),
            (&other, HandshakeKind::Resumed),
        ] {
            let mut stream = server.connect(&client, "hub.example").await.unwrap();
            ask(&mut stream, "GET /topics/a").await;
            read_until(&mut stream, "fanfare.start").await;
            let seen = stream.get_ref().1.handshake_kind();
            assert!(
                seen == Some(kind)
                    || (kind == HandshakeKind::Full && seen == Some(HandshakeKind::FullWithHelloRetryRequest)),
                "{seen:?}, {kind:?}"
            );
        }
    }
}

/// T6
#[tokio::test]
async fn a_handshake_has_a_time_and_a_size() {
    let made = made(&["hub.example"]);
    let server = Served::with(&[&made]).await;
    let began = Instant::now();
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    // A hello of 512 bytes, of which one comes each second.
    let slowly = async {
        for byte in [22, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3].into_iter().chain([0; 500]) {
            if slow.write_all(&[byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
    };
    let read = async { timeout(PATIENCE, silent.read(&mut [0; 1])).await.expect("it is cut") };
    let (cut, ()) = tokio::join!(read, slowly);
    assert!(matches!(cut, Ok(0) | Err(_)));
    let took = began.elapsed();
    assert!(took > HANDSHAKE_TIMEOUT - Duration::from_secs(1), "{took:?}");
    assert!(took < HANDSHAKE_TIMEOUT + Duration::from_secs(20), "the slow one is cut too: {took:?}");

    // The longest record, and as many as are needed.
    let mut large = TcpStream::connect(server.address).await.unwrap();
    let mut hello = vec![22, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff];
    hello.resize(MAX_HELLO_BYTES + 5, 0);
    _ = large.write_all(&hello).await;
    let cut = timeout(HANDSHAKE_TIMEOUT / 2, large.read(&mut [0; 64])).await.expect("at once");
    assert!(matches!(cut, Ok(0) | Err(_)), "{cut:?}");
}

/// T7
#[tokio::test]
async fn a_request_without_tls_is_told_so() {
    let made = made(&["hub.example"]);
    let server = Served::with(&[&made]).await;
    let body = "POST /topics/a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n".to_owned() + &"x".repeat(100_000);
    for request in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "G", &body] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(PATIENCE, socket.read_to_string(&mut answer)).await.expect("it ends").unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(answer.contains("https://"), "{answer}");
    }
    assert_eq!(server.hub.bounds().head.0, 0, "nothing was published");
}

/// T9
#[tokio::test]
async fn whatever_a_subscriber_sends_ends_its_stream() {
    let made = made(&["hub.example"]);
    let server = Served::with(&[&made]).await;
    let client = client(&[&made], &[&TLS13]);
    for (published, what) in (1..).zip(["request", "key update", "end", "unreadable"]) {
        let mut stream = server.subscribe(&client).await;
        server.publish("before").await;
        read_until(&mut stream, "data: before\n\n").await;
        match what {
            "request" => ask(&mut stream, "POST /topics/a").await,
            "key update" => {
                stream.get_mut().1.refresh_traffic_keys().unwrap();
                stream.flush().await.unwrap();
            }
            "end" => stream.shutdown().await.unwrap(),
            // A record that no key opens.
            _ => stream.get_mut().0.write_all(&[&[23, 3, 3, 0, 19][..], &[7; 19]].concat()).await.unwrap(),
        }
        let mut rest = Vec::new();
        let end = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.unwrap_or_else(|_| panic!("{what}: it ends"));
        if what == "end" {
            // It has left, and the stream need not be ended for it.
            assert!(rest.is_empty() || rest == b"0\r\n\r\n", "{}", String::from_utf8_lossy(&rest));
        } else {
            end.unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(String::from_utf8_lossy(&rest), "0\r\n\r\n", "{what}");
        }
        assert_eq!(server.hub.bounds().head.0, published, "{what}: it is not answered");
    }
}

/// T9: rustls seals with the new key from the moment on at which it was asked for it, and must have said so before the
/// stream leaves it.
#[tokio::test]
async fn a_new_key_before_the_stream_is_announced() {
    let made = made(&["hub.example"]);
    let server = Served::with(&[&made]).await;
    let client = client(&[&made], &[&TLS13]);
    for requests in [vec!["GET /topics/a"], vec!["GET /healthz", "GET /topics/a"]] {
        let mut stream = server.connect(&client, "hub.example").await.unwrap();
        stream.get_mut().1.refresh_traffic_keys().unwrap();
        for request in requests {
            ask(&mut stream, request).await;
        }
        read_until(&mut stream, "fanfare.start").await;
        server.publish("with the new key").await;
        read_until(&mut stream, "data: with the new key\n\n").await;
    }
}

/// The hub announces each end that it means: of a stream in a shard, and of an answer through hyper.
#[tokio::test]
async fn an_end_is_announced() {
    let made = made(&["hub.example"]);
    let server = Served::with(&[&made]).await;
    let client = client(&[&made], &[&TLS13]);
    let mut stream = server.subscribe(&client).await;
    let mut answer = server.connect(&client, "hub.example").await.unwrap();
    answer.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(read_to_announced_end(&mut answer).await.ends_with("ok\n"));
    drop(server._stop);
    assert_eq!(read_to_announced_end(&mut stream).await, "0\r\n\r\n");
}
