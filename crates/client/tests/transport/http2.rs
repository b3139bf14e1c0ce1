//! HTTP/2, agreed during the TLS handshake or known before.

use fanfare_client::transport::{CustomRoots, ReqwestTransport, Roots};
use http::Version;
use http_body_util::BodyExt;
use tower_service::Service;

use crate::{direct, fetch, get, server::Server};

#[tokio::test]
async fn the_version_is_agreed_by_alpn() {
    let cases: [(&[&str], Version); 4] = [
        (&["h2", "http/1.1"], Version::HTTP_2),
        (&["http/1.1"], Version::HTTP_11),
        (&["h2"], Version::HTTP_2),
        (&[], Version::HTTP_11),
    ];
    for (protocols, version) in cases {
        let (server, certificate) = Server::secure(protocols).await;
        let roots = CustomRoots::from_der([certificate]).expect("a root");
        let mut transport = direct().roots(Roots::Custom(roots)).build();
        let response = fetch(&mut transport, get(&server.https("/path"))).await.expect("an answer");
        assert_eq!((response.version(), server.seen_one().version), (version, version), "{protocols:?}");
    }
}

#[tokio::test]
async fn prior_knowledge_needs_no_tls() {
    let server = Server::plain().await;
    let mut transport = direct().http2_prior_knowledge(true).build();
    fetch(&mut transport, get(&server.http("/"))).await.expect("an answer");
    assert_eq!(server.seen_one().version, Version::HTTP_2);

    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge();
    let mut transport = ReqwestTransport::from_builder(client).expect("a client");
    fetch(&mut transport, get(&server.http("/"))).await.expect("an answer");
    assert_eq!(server.seen_one().version, Version::HTTP_2);
}

#[tokio::test]
async fn streams_share_one_connection_and_end_alone() {
    let server = Server::plain().await;
    let mut transport = direct().http2_prior_knowledge(true).build();
    let mut stream = transport.call(get(&server.http("/stream"))).await.expect("an answer").into_body();
    server.events.send("data: 1\n\n".into()).await.expect("an open stream");
    assert_eq!(stream.frame().await.expect("no end").expect("no error").into_data().expect("data"), "data: 1\n\n");

    let mut clone = transport.clone();
    fetch(&mut clone, get(&server.http("/"))).await.expect("an answer");
    drop(stream);
    server.events.closed().await;
    fetch(&mut clone, get(&server.http("/"))).await.expect("an answer");
    let connections: Vec<_> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0, 0]);
}

#[tokio::test]
async fn frames_are_small() {
    let server = Server::plain().await;
    let mut transport = direct().http2_prior_knowledge(true).build();
    let mut body = transport.call(get(&server.http("/large"))).await.expect("an answer").into_body();
    let mut total = 0;
    while let Some(frame) = body.frame().await {
        let piece = frame.expect("no error").into_data().expect("data");
        assert!(piece.len() <= 16 * 1024, "a piece of {}", piece.len());
        total += piece.len();
    }
    assert_eq!(total, 1 << 20);
}
