//! Tests of connections with TLS whose peers read nothing, so that neither the system nor rustls can send more.
use super::{
    Patience,
    activity::Activity,
    end::end,
    handover::Noticing,
    http2,
    large_heads::LargeHeads,
    linger::linger,
    looks::Looks,
    socket::Socket,
    watch::{Stop, Watch},
};
use crate::{
    progress::WriteTimeout,
    tls::{Certificate, Certificates, Tls},
};
use hyper::rt::Write as _;
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use socket2::SockRef;
use std::{future::poll_fn, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncWrite as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch as channel,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The write timeout of the tests.
const LIMIT: Duration = Duration::from_millis(300);
/// The longest time that a test waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// Returns both ends of a connection. The server has written more than the client, which reads nothing, has room for, so
/// that rustls still has bytes to send.
async fn stalled() -> (Socket, TlsStream<TcpStream>) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let certificate = Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    let tls = Tls::new(Certificates::new(vec![certificate])).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let client = client.with_safe_default_protocol_versions().unwrap();
    let client = TlsConnector::from(Arc::new(client.with_root_certificates(roots).with_no_client_auth()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = TcpSocket::new_v4().unwrap();
    peer.set_recv_buffer_size(4 << 10).unwrap();
    let peer = peer.connect(listener.local_addr().unwrap()).await.unwrap();
    let (socket, _) = listener.accept().await.unwrap();
    SockRef::from(&socket).set_send_buffer_size(4 << 10).unwrap();
    let shaken = tokio::join!(tls.handshake(socket), client.connect("localhost".try_into().unwrap(), peer));
    let (Ok(stream), Ok(peer)) = shaken else { panic!("no handshake") };
    let mut socket = Socket::Tls(Box::new(stream));
    while timeout(Duration::from_millis(100), async {
        socket.write_all(&[b'x'; 1 << 10]).await.unwrap();
        socket.flush().await.unwrap();
    })
    .await
    .is_ok()
    {}
    // rustls has room for more, so that a write succeeds.
    let written = poll_fn(|cx| Pin::new(&mut socket).poll_write(cx, b"x")).await;
    assert_eq!(written.unwrap(), 1);
    (socket, peer)
}

fn looks() -> Looks {
    Looks::new(WriteTimeout::new(LIMIT, LIMIT))
}

fn watch() -> (Watch, channel::Sender<Stop>) {
    let (stop, stops) = channel::channel(Stop::Not);
    (Watch::new(Activity::new(), Patience::new(PATIENCE, PATIENCE), stops), stop)
}

#[tokio::test]
async fn lingering_ends() {
    let (socket, _peer) = stalled().await;
    timeout(PATIENCE, linger(socket)).await.expect("it has a limit");
}

#[tokio::test]
async fn a_peer_that_does_not_take_the_end_is_given_up() {
    let (mut socket, _peer) = stalled().await;
    let (mut looks, (mut watch, _stop)) = (looks(), watch());
    timeout(PATIENCE, end(&mut socket, None, false, &mut looks, &mut watch)).await.expect("it has a limit");
    assert!(looks.is_overdue());
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_the_end() {
    let (mut socket, _peer) = stalled().await;
    let (mut looks, (mut watch, stop)) = (Looks::new(None), watch());
    stop.send_replace(Stop::Cut);
    timeout(PATIENCE, end(&mut socket, None, false, &mut looks, &mut watch)).await.expect("it is cut");
}

#[tokio::test]
async fn http1_gives_a_peer_up_while_only_rustls_has_bytes() {
    let (socket, _peer) = stalled().await;
    let activity = Activity::new();
    // An answer is under way.
    let _busy = activity.begin();
    let mut io = Noticing::new(socket, None, activity, looks(), LargeHeads::new(1).permit());
    let sent = async {
        poll_fn(|cx| Pin::new(&mut io).poll_write(cx, b"x")).await.expect("rustls has room");
        poll_fn(|cx| Pin::new(&mut io).poll_flush(cx)).await
    };
    timeout(PATIENCE, sent).await.expect("it has a limit").unwrap_err();
    assert!(io.into_parts().looks.is_overdue());
}

#[tokio::test]
async fn http2_gives_a_peer_up_while_only_rustls_has_bytes() {
    let (socket, _peer) = stalled().await;
    assert!(timeout(PATIENCE, http2::write_out(socket, looks())).await.expect("it has a limit"));
}
