//! Connections over HTTP/1.1: when they are shared, and what they hold.

use http_body_util::BodyExt;
use tower_service::Service;

use crate::{direct, fetch, get, server::Server};

#[tokio::test]
async fn a_connection_that_carries_a_stream_carries_nothing_else() {
    let server = Server::plain().await;
    let mut transport = direct().build();
    let mut clone = transport.clone();
    let stream = transport.call(get(&server.http("/stream"))).await.expect("an answer").into_body();
    fetch(&mut transport, get(&server.http("/"))).await.expect("an answer");
    // One that is free is used again, by clones too.
    fetch(&mut clone, get(&server.http("/"))).await.expect("an answer");
    drop(stream);
    server.events.closed().await;
    fetch(&mut clone, get(&server.http("/"))).await.expect("an answer");
    let connections: Vec<_> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 1, 1, 1]);
}

#[tokio::test]
async fn pieces_are_bounded() {
    let server = Server::plain().await;
    let mut transport = direct().build();
    let mut body = transport.call(get(&server.http("/large"))).await.expect("an answer").into_body();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let piece = frame.expect("no error").into_data().expect("data");
        assert!(piece.len() <= 128 * 1024, "a piece of {}", piece.len());
        total += piece.len();
    }
    assert_eq!(total, 1 << 20);
}
