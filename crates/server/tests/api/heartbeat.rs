//! The heartbeats and the end of a stream.
use super::fixture::*;
use std::time::Duration;

#[tokio::test]
async fn a_silent_stream_gets_comments() {
    let server = serve_with(|settings| settings.heartbeat_interval = Duration::from_millis(40)).await;
    let mut events = server.subscribe("/topics/a", "").await;
    let mut lines = server.subscribe("/topics/a", "Accept: application/x-ndjson\r\n").await;
    assert_eq!(events.read_until(|text| text.len() >= 8).await[..8], *":\n:\n:\n:\n");
    assert_eq!(lines.read_until(|text| text.len() >= 4).await[..4], *"\n\n\n\n");
}

/// A program that embeds the server may set any time.
#[tokio::test]
async fn times_out_of_bounds_count_as_the_bounds() {
    let server = serve_with(|settings| settings.heartbeat_interval = Duration::ZERO).await;
    for representation in ["", "Accept: application/x-ndjson\r\n"] {
        let mut stream = server.subscribe("/topics/a", representation).await;
        stream.read_until(|text| text.len() >= 6).await;
        server.publish("/topics/a", "it has time for events").await;
        stream.read_until(|text| text.contains("events")).await;
    }
    let forever = serve_with(|settings| {
        settings.heartbeat_interval = Duration::MAX;
        settings.max_lifetime = Some(Duration::MAX);
        settings.write_timeout = Duration::MAX;
        settings.keep_alive_timeout = Duration::MAX;
        settings.head_timeout = Duration::MAX;
    });
    let server = forever.await;
    let mut stream = server.subscribe("/topics/a", "").await;
    server.publish("/topics/a", "first").await;
    assert_eq!(data(&stream.events(1).await), ["first"]);
}

#[tokio::test]
async fn the_first_bytes_come_at_once() {
    let server = serve().await;
    assert_eq!(server.subscribe("/topics/a", "").await.read_until(|text| !text.is_empty()).await, ":\n");
}

#[tokio::test]
async fn a_stream_ends_within_its_lifetime() {
    let server = serve_with(|settings| settings.max_lifetime = Some(Duration::from_millis(200))).await;
    let stream = server.subscribe("/topics/a", "").await;
    server.publish("/topics/a", "before").await;
    assert!(stream.end().await.contains("data: before\n\n"));
}

#[tokio::test]
async fn stopping_the_server_ends_its_streams() {
    let server = serve().await;
    let mut stream = server.subscribe("/topics/a", "").await;
    server.publish("/topics/a", "last").await;
    assert_eq!(data(&stream.events(1).await), ["last"]);
    server.stop().await;
    assert_eq!(stream.end().await, "");
}
