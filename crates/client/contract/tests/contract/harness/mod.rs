//! The helpers that drive the service: its process, the streams that it reads, and the callbacks that it sends.
mod case;
mod endpoint;
mod message;
mod request;
mod sse_client;
mod stream_server;
mod test_service;

pub use case::{Case, check};
pub use endpoint::Bodiless;
pub use message::{Message, comment, data};
pub use request::send;
pub use sse_client::SseClient;
pub use stream_server::{StreamConnection, StreamServer};
pub use test_service::TestService;

use serde_json::Value;
use std::time::Duration;

/// The longest time that a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Starts a stream that the client has begun to read. `parameters` are added to the URLs in the request.
pub async fn stream_and_client(
    service: &TestService,
    parameters: Value,
) -> (StreamServer, StreamConnection, SseClient) {
    let mut server = StreamServer::start().await;
    let client = SseClient::start(service, server.url(), parameters).await;
    let connection = server.connection().await;
    (server, connection, client)
}

/// Returns the output of `future`. Panics if it does not come in time.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("no {what} within {PATIENCE:?}"))
}
