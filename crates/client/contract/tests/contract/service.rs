//! Tests of the service's own interface.
use crate::harness::{SseClient, StreamServer, TestService, send, stream_and_client};
use http::{Method, StatusCode, header::LOCATION};
use serde_json::{Value, json};

/// A copy of the limit in `src/service.rs`.
const MAX_STREAMS: usize = 100;
const MAX_REQUEST_BYTES: usize = 1 << 20;

#[tokio::test]
async fn it_says_what_it_can() {
    let service = TestService::start();
    let answer = send(Method::GET, service.url(), "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let said: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(said["name"], "fanfare-client");
    let capabilities = said["capabilities"].as_array().unwrap();
    for capability in ["bom", "comments", "headers", "last-event-id", "post", "read-timeout", "report", "restart"] {
        assert!(capabilities.contains(&json!(capability)), "{capability}");
    }
}

#[tokio::test]
async fn parameters_that_no_stream_can_have_are_refused() {
    let service = TestService::start();
    let with = |name: &str, value: Value| {
        let mut parameters =
            json!({ "streamUrl": "http://127.0.0.1:9/", "callbackUrl": "http://127.0.0.1:9/callbacks" });
        parameters[name] = value;
        parameters.to_string()
    };
    let cases = [
        "no JSON".to_owned(),
        "{}".to_owned(),
        with("streamUrl", json!("nowhere")),
        with("streamUrl", json!("ftp://127.0.0.1/")),
        with("callbackUrl", json!("/callbacks")),
        with("callbackUrl", json!("http://127.0.0.1/?to=me")),
        with("initialDelayMs", json!(-1)),
        with("readTimeoutMs", json!("soon")),
        with("lastEventId", json!("a\nb")),
        with("headers", json!({ "a name": "value" })),
        with("headers", json!({ "name": "a\nvalue" })),
        with("method", json!("NO METHOD")),
    ];
    for parameters in cases {
        let answer = send(Method::POST, service.url(), parameters.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{parameters}");
    }
    let answer = send(Method::POST, service.url(), with("method", json!(null))).await;
    assert_eq!(answer.status, StatusCode::CREATED, "null is as good as nothing");
}

#[tokio::test]
async fn commands_are_for_streams_that_exist() {
    let service = TestService::start();
    let (_server, _connection, client) = stream_and_client(&service, json!({})).await;
    let cases = [
        (json!({ "command": "restart" }), StatusCode::ACCEPTED),
        (json!({ "command": "listen", "listen": { "type": "greeting" } }), StatusCode::ACCEPTED),
        (json!({ "command": "dance" }), StatusCode::BAD_REQUEST),
        (json!({}), StatusCode::BAD_REQUEST),
    ];
    for (command, status) in cases {
        assert_eq!(client.command(command.clone()).await, status, "{command}");
    }
    client.close().await;
    for method in [Method::POST, Method::DELETE] {
        let answer = send(method.clone(), &format!("{}/streams/1", service.url()), r#"{"command": "restart"}"#).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}");
    }
}

/// After the test has closed a stream, the service closes its connection to the stream's server.
#[tokio::test]
async fn a_closed_stream_has_no_connection() {
    let service = TestService::start();
    let (_server, connection, client) = stream_and_client(&service, json!({})).await;
    client.close().await;
    connection.closed().await;
}

#[tokio::test]
async fn streams_are_limited() {
    let service = TestService::start();
    let server = StreamServer::start().await;
    let mut clients = Vec::new();
    for _ in 0..MAX_STREAMS {
        clients.push(SseClient::start(&service, server.url(), json!({})).await);
    }
    let one_more = json!({ "streamUrl": server.url(), "callbackUrl": server.url() }).to_string();
    let refused = send(Method::POST, service.url(), one_more.clone()).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!refused.headers.contains_key(LOCATION));
    clients.pop().unwrap().close().await;
    assert_eq!(send(Method::POST, service.url(), one_more).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn requests_are_limited() {
    let service = TestService::start();
    for (length, status) in
        [(MAX_REQUEST_BYTES, StatusCode::BAD_REQUEST), (MAX_REQUEST_BYTES + 1, StatusCode::PAYLOAD_TOO_LARGE)]
    {
        assert_eq!(send(Method::POST, service.url(), vec![b' '; length]).await.status, status, "{length}");
    }
}

#[tokio::test]
async fn it_ends_when_asked_to_although_a_stream_is_open() {
    let service = TestService::start();
    let (_server, connection, _client) = stream_and_client(&service, json!({})).await;
    assert!(service.end().await.success());
    connection.closed().await;
}
