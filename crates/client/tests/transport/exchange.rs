//! An exchange over HTTP/1.1, as every transport does it.

use bytes::Bytes;
use fanfare_client::{
    BoxError,
    transport::{HyperTransport, RequestBody, ReqwestTransport},
};
use http::{Method, Request, Response, StatusCode, Version, header};
use http_body::Body;
use http_body_util::BodyExt;
use tower_service::Service;

use crate::{closed_port, direct, fetch, get, server::Server};

fn by_reqwest() -> ReqwestTransport {
    ReqwestTransport::from_builder(reqwest::Client::builder().no_proxy()).expect("a client")
}

async fn sends_what_it_is_given<S, B>(mut transport: S)
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let server = Server::plain().await;
    let request = Request::post(server.http("/path?topic=a%20b"))
        .header("accept", "text/event-stream")
        // As RFC-conforming as bytes that are not ASCII can be: the last event ID may hold them.
        .header("last-event-id", header::HeaderValue::from_bytes("…".as_bytes()).expect("a value"))
        .body(RequestBody::from("asked"));
    let response = fetch(&mut transport, request.expect("a request")).await.expect("an answer");
    assert_eq!((response.status(), &response.body()[..]), (StatusCode::OK, &b"ok"[..]));
    let seen = server.seen_one();
    assert_eq!((seen.method, seen.version), (Method::POST, Version::HTTP_11));
    assert_eq!(seen.uri, "/path?topic=a%20b");
    assert_eq!(seen.headers["host"], server.address.to_string());
    assert_eq!(seen.headers["accept"], "text/event-stream");
    assert_eq!(seen.headers["last-event-id"].as_bytes(), "…".as_bytes());
    assert_eq!(seen.headers["content-length"], "5");
    assert_eq!(seen.body, "asked");

    fetch(&mut transport, get(&server.http("/"))).await.expect("an answer");
    let seen = server.seen_one();
    for absent in ["content-length", "transfer-encoding", "accept-encoding", "proxy-authorization"] {
        assert!(!seen.headers.contains_key(absent), "{absent}: {:?}", seen.headers);
    }
}

#[tokio::test]
async fn a_request_is_sent_as_it_is() {
    sends_what_it_is_given(direct().build()).await;
    sends_what_it_is_given(by_reqwest()).await;
}

async fn leaves_redirects<S, B>(mut transport: S)
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let server = Server::plain().await;
    let response = fetch(&mut transport, get(&server.http("/redirect"))).await.expect("an answer");
    assert_eq!(
        (response.status(), &response.headers()["location"]),
        (StatusCode::FOUND, &"/elsewhere".parse().expect("a value"))
    );
    assert_eq!(server.seen_one().uri, "/redirect");
}

#[tokio::test]
async fn a_redirect_is_given_back() {
    leaves_redirects(direct().build()).await;
    leaves_redirects(by_reqwest()).await;
}

async fn gives_each_event<S, B>(mut transport: S)
where
    S: Service<Request<RequestBody>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    let server = Server::plain().await;
    let response = transport.call(get(&server.http("/stream"))).await;
    let mut body = response.unwrap_or_else(|error| panic!("{}", error.into())).into_body();
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        server.events.send(event.into()).await.expect("an open stream");
        let frame = body.frame().await.expect("no end").unwrap_or_else(|error| panic!("{}", error.into()));
        assert_eq!(frame.into_data().ok().as_deref(), Some(event.as_bytes()));
    }
    drop(body);
    // The server learns it while nothing is sent.
    server.events.closed().await;
}

#[tokio::test]
async fn events_come_one_by_one_and_dropping_the_body_closes_the_stream() {
    gives_each_event(direct().build()).await;
    gives_each_event(by_reqwest()).await;
}

#[tokio::test]
async fn an_unreachable_server_is_an_error_that_says_so() {
    let (_held, port) = closed_port();
    let url = format!("http://127.0.0.1:{port}/?authorization=secret");
    let error = direct().build().call(get(&url)).await.expect_err("nobody listens");
    assert!(error.is_connect(), "{error}");
    assert!(error.to_string().starts_with("cannot connect: tcp connect error: Connection refused"), "{error}");

    let error = by_reqwest().call(get(&url)).await.expect_err("nobody listens");
    assert!(error.is_connect(), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
}

#[tokio::test]
async fn a_user_agent_is_sent_unless_there_is_one() {
    let server = Server::plain().await;
    let mut transport = HyperTransport::clone(&direct().build());
    fetch(&mut transport, get(&server.http("/"))).await.expect("an answer");
    assert_eq!(server.seen_one().headers["user-agent"], concat!("fanfare-client/", env!("CARGO_PKG_VERSION")));
    let mut request = get(&server.http("/"));
    request.headers_mut().insert(header::USER_AGENT, "mine/1".parse().expect("a value"));
    fetch(&mut transport, request).await.expect("an answer");
    assert_eq!(server.seen_one().headers["user-agent"], "mine/1");
}
