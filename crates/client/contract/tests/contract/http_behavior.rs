//! "HTTP behavior": requests, and answers that are not a stream.
use crate::harness::{Bodiless, SseClient, StreamServer, TestService, data, stream_and_client};
use http::{HeaderMap, HeaderValue, header::LOCATION};
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

const BODY: &str = r#"{"hello": "world"}"#;

#[tokio::test]
async fn default_method_and_headers() {
    let service = TestService::start();
    let (_server, connection, client) = stream_and_client(&service, json!({})).await;
    assert_eq!(connection.method, "GET");
    assert_eq!(connection.header("accept"), Some("text/event-stream"));
    assert_eq!(connection.header("cache-control"), Some("no-cache"));
    assert_eq!(connection.header("last-event-id"), None);
    client.close().await;
}

#[tokio::test]
async fn status_204_halts_reconnection_attempts() {
    let service = TestService::start();
    let nothing = Bodiless::start(204, HeaderMap::new()).await;
    let client = SseClient::start(&service, nothing.url(), json!({ "initialDelayMs": 0 })).await;
    // Nothing must happen during this time, which is five times the client's shortest delay.
    sleep(Duration::from_millis(500)).await;
    assert_eq!(nothing.asked(), 1);
    client.close().await;
}

#[tokio::test]
async fn client_follows_301_and_307_redirect() {
    let service = TestService::start();
    for status in [301, 307] {
        let mut server = StreamServer::start().await;
        let headers = HeaderMap::from_iter([(LOCATION, server.url().parse().unwrap())]);
        let redirector = Bodiless::start(status, headers).await;
        let mut client = SseClient::start(&service, redirector.url(), json!({})).await;
        let connection = server.connection().await;
        connection.send("data: hello\n\n").await;
        client.expect(&[data("hello")]).await;
        client.close().await;
    }
}

/// The client reports an error and does not loop.
#[tokio::test]
async fn client_handles_empty_or_missing_location_header() {
    let service = TestService::start();
    for status in [301, 307] {
        for location in [Some(HeaderValue::from_static("")), None] {
            let headers = location.into_iter().map(|value| (LOCATION, value)).collect();
            let redirector = Bodiless::start(status, headers).await;
            let mut client = SseClient::start(&service, redirector.url(), json!({})).await;
            client.expect_error().await;
            client.close().await;
        }
    }
}

#[tokio::test]
async fn custom_headers() {
    let service = TestService::start();
    let headers = json!({ "header-name-1": "value-1", "header-name-2": "value-2" });
    let (_server, connection, client) = stream_and_client(&service, json!({ "headers": headers })).await;
    assert_eq!(connection.header("header-name-1"), Some("value-1"));
    assert_eq!(connection.header("header-name-2"), Some("value-2"));
    client.close().await;
}

#[tokio::test]
async fn post_and_report_request() {
    let service = TestService::start();
    for method in ["POST", "REPORT"] {
        let headers = json!({ "content-type": "application/json; charset=utf-8" });
        let parameters = json!({ "headers": headers, "method": method, "body": BODY });
        let (_server, connection, client) = stream_and_client(&service, parameters).await;
        assert_eq!(connection.method, method);
        assert_eq!(connection.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(connection.body, BODY);
        client.close().await;
    }
}

#[tokio::test]
async fn sends_last_event_id_in_initial_request_if_set() {
    let service = TestService::start();
    let (_server, connection, client) = stream_and_client(&service, json!({ "lastEventId": "abc" })).await;
    assert_eq!(connection.header("last-event-id"), Some("abc"));
    client.close().await;
}
