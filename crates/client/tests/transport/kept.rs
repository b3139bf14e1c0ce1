//! Connections that are kept: what happens when their server has closed them, or has no room on them.

use crate::{direct, fetch, get};
use bytes::Bytes;
use fanfare_client::transport::{HyperTransport, RequestBody, ReqwestTransport};
use futures_util::future::join_all;
use http::{Method, Request, Response};
use http_body::{Body, Frame};
use http_body_util::BodyExt as _;
use hyper::{server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tower_service::Service as _;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// The URL of a server that answers the requests of each connection so, one after the other, and closes it once it has
/// read one that there is no answer for; and how many requests it has read.
async fn server(connections: &'static [&'static [&'static str]]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    tokio::spawn(async move {
        for answers in connections {
            let (socket, _) = listener.accept().await.expect("a connection");
            tokio::spawn(serve(socket, answers, Arc::clone(&count)));
        }
    });
    (url, requests)
}

async fn serve(mut socket: TcpStream, answers: &[&str], count: Arc<AtomicUsize>) {
    for answer in answers.iter().map(Some).chain([None]) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = socket.read_u8().await else { return };
            head.push(byte);
        }
        count.fetch_add(1, SeqCst);
        let Some(answer) = answer else { return };
        socket.write_all(answer.as_bytes()).await.expect("to answer");
        if !answer.ends_with("ok") {
            return;
        }
    }
}

fn post(url: &str) -> Request<RequestBody> {
    Request::post(url).body(RequestBody::default()).expect("a request")
}

#[tokio::test]
async fn one_that_was_closed_is_replaced_once() {
    let (url, requests) = server(&[&[OK], &[OK, OK]]).await;
    let mut transport = direct().build();
    for _ in 0..3 {
        assert_eq!(fetch(&mut transport, get(&url)).await.expect("an answer").body(), "ok");
    }
    assert_eq!(requests.load(SeqCst), 4, "one of three was asked twice");
    let (url, requests) = server(&[&[OK], &[]]).await;
    let mut transport = direct().build();
    fetch(&mut transport, get(&url)).await.expect("an answer");
    let error = fetch(&mut transport, get(&url)).await.expect_err("nobody answers twice");
    assert!(error.to_string().starts_with("the connection ended before an answer came"), "{error}");
    assert_eq!(requests.load(SeqCst), 3);
}

#[tokio::test]
async fn nothing_is_sent_twice_that_may_not_be() {
    let (url, requests) = server(&[&[OK], &[OK]]).await;
    let mut transport = direct().build();
    fetch(&mut transport, post(&url)).await.expect("an answer");
    fetch(&mut transport, post(&url)).await.expect_err("a POST that nobody knows the fate of");
    assert_eq!(requests.load(SeqCst), 2);
    // Some of an answer came.
    let (url, requests) = server(&[&[OK, "HTTP/1.1 200"], &[OK]]).await;
    let mut transport = direct().build();
    fetch(&mut transport, get(&url)).await.expect("an answer");
    fetch(&mut transport, get(&url)).await.expect_err("half an answer");
    assert_eq!(requests.load(SeqCst), 2);
    // A connection that was not kept.
    let (url, requests) = server(&[&[], &[OK]]).await;
    fetch(&mut direct().build(), get(&url)).await.expect_err("no answer");
    assert_eq!(requests.load(SeqCst), 1);
}

#[tokio::test]
async fn reqwest_does_so_too() {
    let (url, _) = server(&[&[OK], &[OK]]).await;
    let mut transport = ReqwestTransport::from_builder(reqwest::Client::builder().no_proxy()).expect("a client");
    for _ in 0..2 {
        assert_eq!(fetch(&mut transport, get(&url)).await.expect("an answer").body(), "ok");
    }
}

/// The answers of an event source whose request may not be sent twice never meet a connection that was kept.
#[tokio::test]
async fn a_request_that_is_not_repeated_has_a_connection_of_its_own() {
    const AGAIN: &str = "HTTP/1.1 307 Elsewhere\r\nlocation: /\r\ncontent-length: 2\r\n\r\nok";
    const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9\r\n\r\ndata: 1\n\n";
    let (url, requests) = server(&[&[AGAIN], &[AGAIN], &[STREAM]]).await;
    let builder = fanfare_client::EventSource::builder(&url).method(Method::POST).transport(direct().build());
    let mut source = builder.build().expect("it can be built");
    let event = futures_util::StreamExt::next(&mut source).await.expect("an event").expect("no error");
    assert_eq!((&*event.data, requests.load(SeqCst)), ("1", 3));
}

/// A server that redirects without `Connection: close`, and closes: the next request finds that out, or it is just in
/// time to know.
#[tokio::test]
async fn a_redirect_on_a_connection_that_is_closed_at_once_is_followed() {
    const AGAIN: &str = "HTTP/1.1 302 Elsewhere\r\nlocation: /next\r\ncontent-length: 0\r\n\r\n";
    const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 9\r\n\r\ndata: 1\n\n";
    for read_first in [false, true] {
        for _ in 0..20 {
            // What does not end with "ok" is the last that a connection answers; the other closes when it has read the
            // next.
            let connections: &[&[&str]] = if read_first { &[&[AGAIN_OK], &[STREAM]] } else { &[&[AGAIN], &[STREAM]] };
            let (url, _) = server(connections).await;
            let source = fanfare_client::EventSource::builder(&url).transport(direct().build()).build();
            let mut source = source.expect("it can be built");
            let event = futures_util::StreamExt::next(&mut source).await.expect("an event").expect("no error");
            assert_eq!(&*event.data, "1");
        }
    }
}

/// The same with a body.
const AGAIN_OK: &str = "HTTP/1.1 302 Elsewhere\r\nlocation: /next\r\ncontent-length: 2\r\n\r\nok";

/// One event, and then silence.
struct Endless(Option<Bytes>);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.take().map_or(Poll::Pending, |event| Poll::Ready(Some(Ok(Frame::data(event)))))
    }
}

/// A server that allows so many streams on a connection; and how many connections it has accepted.
async fn crowded(streams: impl Into<Option<u32>>) -> (String, Arc<AtomicUsize>) {
    let (listener, streams) = (TcpListener::bind("127.0.0.1:0").await.expect("a socket"), streams.into());
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let connections = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            count.fetch_add(1, SeqCst);
            let service = service_fn(|_| async {
                Ok::<_, Infallible>(Response::new(Endless(Some(Bytes::from_static(b"data: 1\n\n")))))
            });
            let mut server = http2::Builder::new(TokioExecutor::new());
            server.max_concurrent_streams(streams);
            tokio::spawn(server.serve_connection(TokioIo::new(socket), service));
        }
    });
    (url, connections)
}

async fn open(transport: &HyperTransport, url: &str) -> impl Body<Data = Bytes> + Unpin + use<> {
    let response = transport.clone().call(get(url)).await.expect("an answer");
    let mut body = response.into_body();
    let frame = body.frame().await.expect("no end").expect("no error");
    assert_eq!(frame.into_data().expect("data"), "data: 1\n\n");
    body
}

#[tokio::test]
async fn another_is_opened_where_a_server_allows_no_more_streams() {
    for (allowed, expected) in [(1, 5), (2, 3), (3, 2), (5, 1), (100, 1)] {
        let (url, connections) = crowded(allowed).await;
        let transport = direct().http2_prior_knowledge(true).build();
        let mut streams = Vec::new();
        for _ in 0..5 {
            streams.push(open(&transport, &url).await);
        }
        assert_eq!(connections.load(SeqCst), expected, "one after the other, {allowed} allowed");
        // A place that is free is taken again.
        streams.pop();
        streams.push(open(&transport, &url).await);
        assert_eq!(connections.load(SeqCst), expected, "{allowed} allowed");
        drop(streams);

        let (url, connections) = crowded(allowed).await;
        let transport = direct().http2_prior_knowledge(true).build();
        let streams = join_all((0..5).map(|_| open(&transport, &url))).await;
        assert_eq!((streams.len(), connections.load(SeqCst)), (5, expected), "at once, {allowed} allowed");
    }
}
