//! "reconnection": what the client does after a connection has ended.
use crate::harness::{SseClient, StreamConnection, StreamServer, TestService, data, stream_and_client};
use serde_json::json;

/// Starts a stream whose client reconnects without delay.
async fn start(service: &TestService) -> (StreamServer, StreamConnection, SseClient) {
    stream_and_client(service, json!({ "initialDelayMs": 0 })).await
}

#[tokio::test]
async fn caller_can_trigger_a_restart() {
    let service = TestService::start();
    let (mut server, first, mut client) = start(&service).await;
    first.send("data: Hello\n\n").await;
    client.expect(&[data("Hello")]).await;

    assert!(client.command(json!({ "command": "restart" })).await.is_success());
    let second = server.connection().await;
    second.send("data: Thanks\n\n").await;
    client.expect(&[data("Thanks")]).await;
    client.close().await;
}

#[tokio::test]
async fn sends_id_of_last_received_event() {
    let service = TestService::start();
    let (mut server, first, mut client) = start(&service).await;
    assert_eq!(first.header("last-event-id"), None);
    first.send("id: abc\ndata: Hello\n\n").await;
    client.expect(&[data("Hello").with_id("abc")]).await;

    first.break_off().await;
    assert_eq!(server.connection().await.header("last-event-id"), Some("abc"));
    client.close().await;
}

#[tokio::test]
async fn sends_id_of_last_received_event_that_had_an_id_if_later_events_did_not() {
    let service = TestService::start();
    let (mut server, first, mut client) = start(&service).await;
    first.send("id: abc\ndata: Hello\n\n").await;
    first.send("data: World\n\n").await;
    client.expect(&[data("Hello").with_id("abc"), data("World").with_id("abc")]).await;

    first.break_off().await;
    assert_eq!(server.connection().await.header("last-event-id"), Some("abc"));
    client.close().await;
}

#[tokio::test]
async fn last_event_id_can_be_explicitly_overridden_with_an_empty_value() {
    let service = TestService::start();
    let (mut server, first, mut client) = start(&service).await;
    first.send("id: abc\ndata: Hello\n\n").await;
    first.send("id: \ndata: World\n\n").await;
    client.expect(&[data("Hello").with_id("abc"), data("World")]).await;

    first.break_off().await;
    assert_eq!(server.connection().await.header("last-event-id"), None);
    client.close().await;
}

#[tokio::test]
async fn resends_request_body_if_any_when_reconnecting() {
    const BODY: &str = r#"{"hello": "world"}"#;
    let service = TestService::start();
    let headers = json!({ "content-type": "application/json; charset=utf-8" });
    let parameters = json!({ "headers": headers, "initialDelayMs": 0, "method": "POST", "body": BODY });
    let (mut server, first, client) = stream_and_client(&service, parameters).await;
    assert_eq!((first.method.as_str(), &*first.body), ("POST", BODY.as_bytes()));

    first.break_off().await;
    let second = server.connection().await;
    assert_eq!((second.method.as_str(), &*second.body), ("POST", BODY.as_bytes()));
    client.close().await;
}

#[tokio::test]
async fn can_set_read_timeout() {
    let service = TestService::start();
    let parameters = json!({ "initialDelayMs": 0, "readTimeoutMs": 500 });
    let (mut server, first, mut client) = stream_and_client(&service, parameters).await;
    first.send("data: Hello\n\n").await;
    client.expect(&[data("Hello")]).await;
    client.expect_error().await;
    server.connection().await;
    client.close().await;
}

#[tokio::test]
async fn discards_partial_messages_on_retry() {
    let service = TestService::start();
    let (mut server, first, mut client) = start(&service).await;
    first.send("id: abc\ndata: Hello\n\nid: def\ndata: Goodbye").await;
    client.expect(&[data("Hello").with_id("abc")]).await;

    first.break_off().await;
    let second = server.connection().await;
    second.send("data: We meet again\n\n").await;
    assert_eq!(client.message_after_error().await, data("We meet again").with_id("abc"));
    client.close().await;
}

#[tokio::test]
async fn new_connection_established_after_breaking_previous_is_functional() {
    let service = TestService::start();
    let (mut server, first, mut client) = start(&service).await;
    first.send("id: abc\ndata: Hello\n\n").await;
    client.expect(&[data("Hello").with_id("abc")]).await;

    first.break_off().await;
    let second = server.connection().await;
    second.send("id: def\ndata: World\n\n").await;
    assert_eq!(client.message_after_error().await, data("World").with_id("def"));
    client.close().await;
}
