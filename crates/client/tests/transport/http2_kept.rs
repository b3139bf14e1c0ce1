//! Connections over HTTP/2 that are kept: what their server does to them, and what becomes of requests then.
use crate::{
    direct, fetch, get,
    scripted::{
        Act::{self, Answer, GoAwayAfter, GoAwayBefore, Request, Reset, Settings, Stream},
        Scripted,
    },
};
use fanfare_client::transport::{HyperTransport, RequestBody};
use futures_util::future::join_all;
use http::Request as HttpRequest;
use std::{future::Future, time::Duration};
use tower_service::Service as _;

/// More than any of these tests needs, and less than the time for a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// Codes of errors ([RFC 9113, 7](https://www.rfc-editor.org/rfc/rfc9113#section-7)).
const NO_ERROR: u32 = 0;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

/// A connection that answers any number of requests, as far as tests go.
const WELL: &[Act] = &[Settings(None), Request, Answer, Request, Answer, Request, Answer, Request];

fn transport() -> HyperTransport {
    direct().http2_prior_knowledge(true).build()
}

fn post(url: &str) -> HttpRequest<RequestBody> {
    HttpRequest::post(url).body(RequestBody::default()).expect("a request")
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("nobody waits for what will not come")
}

/// Sends a request that is answered, and then the given ones; which of them were answered.
async fn after_one(server: &Scripted, requests: Vec<HttpRequest<RequestBody>>) -> Vec<bool> {
    let mut transport = transport();
    in_time(fetch(&mut transport, get(&server.url))).await.expect("an answer");
    let mut answered = Vec::new();
    for request in requests {
        answered.push(in_time(fetch(&mut transport, request)).await.is_ok());
    }
    answered
}

#[tokio::test]
async fn one_that_dies_before_it_has_said_a_word_holds_up_nobody() {
    let server = Scripted::start(&[&[Request], WELL]).await;
    let mut clones = vec![transport(); 3];
    let url = &server.url;
    let all = in_time(join_all(clones.iter_mut().map(|transport| fetch(transport, get(url))))).await;
    assert_eq!(all.iter().filter(|answer| answer.is_ok()).count(), 2, "{all:?}");
    assert_eq!(server.counts(), (2, 3));
}

#[tokio::test]
async fn a_server_may_allow_more_streams_later() {
    let server =
        Scripted::start(&[&[Settings(Some(1)), Request, Settings(Some(2)), Stream, Request, Stream, Request], WELL])
            .await;
    let mut transport = transport();
    let mut streams = Vec::new();
    for connections in [1, 1, 2] {
        streams.push(in_time(transport.call(get(&server.url))).await.expect("an answer"));
        assert_eq!(server.counts().0, connections);
    }
}

#[tokio::test]
async fn a_server_may_allow_fewer_streams_later() {
    let server = Scripted::start(&[&[Settings(Some(9)), Request, Settings(Some(1)), Stream, Request], WELL]).await;
    let mut transport = transport();
    let mut streams = Vec::new();
    for connections in [1, 2] {
        streams.push(in_time(transport.call(get(&server.url))).await.expect("an answer"));
        assert_eq!(server.counts().0, connections);
    }
}

#[tokio::test]
async fn one_that_was_closed_is_replaced_and_its_replacement_is_kept() {
    let server = Scripted::start(&[&[Settings(None), Request, Answer, Request], WELL]).await;
    let requests = (0..3).map(|_| get(&server.url)).collect();
    assert_eq!(after_one(&server, requests).await, [true; 3]);
    assert_eq!(server.counts(), (2, 5), "one of four was sent twice");
    // A request that may not be sent twice is not.
    let server = Scripted::start(&[&[Settings(None), Request, Answer, Request], WELL]).await;
    assert_eq!(after_one(&server, vec![post(&server.url)]).await, [false]);
    assert_eq!(server.counts(), (1, 2));
    // Once.
    let server =
        Scripted::start(&[&[Settings(None), Request, Answer, Request], &[Settings(None), Request], WELL]).await;
    assert_eq!(after_one(&server, vec![get(&server.url)]).await, [false]);
    assert_eq!(server.counts(), (2, 3));
}

/// Such a stream is one that the server has not looked at ([RFC 9113,
/// 8.7](https://www.rfc-editor.org/rfc/rfc9113#section-8.7)).
#[tokio::test]
async fn a_refused_stream_is_tried_elsewhere_once() {
    const REFUSES: &[Act] =
        &[Settings(None), Request, Answer, Request, Reset(REFUSED_STREAM), Request, Answer, Request];
    for request in [get, post] {
        let server = Scripted::start(&[REFUSES, WELL]).await;
        assert_eq!(after_one(&server, vec![request(&server.url), get(&server.url)]).await, [true; 2]);
        assert_eq!(server.counts(), (2, 4), "the connection that refused is not asked again");
        let server =
            Scripted::start(&[REFUSES, &[Settings(None), Request, Reset(REFUSED_STREAM), Request], WELL]).await;
        assert_eq!(after_one(&server, vec![request(&server.url)]).await, [false]);
        assert_eq!(server.counts(), (2, 3));
    }
}

#[tokio::test]
async fn a_stream_that_was_reset_otherwise_is_not_tried_again() {
    macro_rules! scripts {
        ($($code:literal)*) => {
            [$((&[&[Settings(None), Request, Answer, Request, Reset($code), Request], WELL] as &[&[Act]], $code)),*]
        };
    }
    // All codes but REFUSED_STREAM, and one that nobody knows.
    for (scripts, code) in scripts![0 1 2 3 4 5 6 8 9 10 11 12 13 99] {
        let server = Scripted::start(scripts).await;
        assert_eq!(after_one(&server, vec![get(&server.url)]).await, [false], "code {code}");
        assert_eq!(server.counts(), (1, 2), "code {code}");
    }
}

#[tokio::test]
async fn what_a_server_that_goes_away_has_not_looked_at_is_sent_to_another() {
    for before in [
        &[&[Settings(None), Request, Answer, Request, GoAwayBefore(NO_ERROR)], WELL] as &[&[Act]],
        &[&[Settings(None), Request, Answer, Request, GoAwayBefore(ENHANCE_YOUR_CALM)], WELL],
        &[&[Settings(None), Request, Answer, Request, GoAwayBefore(NO_ERROR), Request], WELL],
    ] {
        for request in [get, post] {
            let server = Scripted::start(before).await;
            assert_eq!(after_one(&server, vec![request(&server.url), get(&server.url)]).await, [true; 2]);
            assert_eq!(server.counts(), (2, 4));
        }
    }
    // What it has looked at, and not answered, only where it may be sent twice.
    for (request, answered, counts) in [(get as fn(&str) -> _, true, (2, 3)), (post, false, (1, 2))] {
        let server = Scripted::start(&[&[Settings(None), Request, Answer, Request, GoAwayAfter(NO_ERROR)], WELL]).await;
        assert_eq!(after_one(&server, vec![request(&server.url)]).await, [answered]);
        assert_eq!(server.counts(), counts);
    }
    // An answer that comes after all is one.
    let server =
        Scripted::start(&[&[Settings(None), Request, Answer, Request, GoAwayAfter(NO_ERROR), Answer], WELL]).await;
    assert_eq!(after_one(&server, vec![post(&server.url), get(&server.url)]).await, [true; 2]);
    assert_eq!(server.counts(), (2, 3));
}
