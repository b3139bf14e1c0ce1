//! The server of a stream, for which the test chooses each piece of the body.
use super::{endpoint::Endpoint, soon};
use axum::{body::Body, extract::State, response::Response};
use bytes::Bytes;
use futures_util::stream;
use http::{
    HeaderMap, Method,
    header::{CACHE_CONTROL, CONTENT_TYPE},
};
use std::{io, time::Duration};
use tokio::{sync::mpsc, time::sleep};

/// The pause after each piece of a stream, so that the client receives the pieces separately.
const PAUSE: Duration = Duration::from_millis(2);

pub struct StreamServer {
    endpoint: Endpoint,
    connections: mpsc::Receiver<StreamConnection>,
}

/// A request for the stream, and the sender of its answer. The stream ends when this value is dropped.
pub struct StreamConnection {
    pub method: Method,
    pub headers: HeaderMap,
    pub body: Bytes,
    chunks: mpsc::Sender<io::Result<Bytes>>,
}

impl StreamServer {
    pub async fn start() -> Self {
        let (sender, connections) = mpsc::channel(16);
        Self { endpoint: Endpoint::start(answer, sender).await, connections }
    }

    pub fn url(&self) -> &str {
        &self.endpoint.url
    }

    /// Returns the next request.
    pub async fn connection(&mut self) -> StreamConnection {
        soon("connection", self.connections.recv()).await.unwrap()
    }
}

impl StreamConnection {
    pub async fn send(&self, chunk: impl Into<Bytes>) {
        self.chunks.send(Ok(chunk.into())).await.unwrap();
    }

    /// Sends a piece, and waits so that it arrives separately.
    pub async fn send_piece(&self, piece: &[u8]) {
        self.send(Bytes::copy_from_slice(piece)).await;
        sleep(PAUSE).await;
    }

    /// Closes the connection in the middle of the response.
    pub async fn break_off(self) {
        self.chunks.send(Err(io::ErrorKind::ConnectionAborted.into())).await.unwrap();
    }

    /// Waits until the client has closed the connection.
    pub async fn closed(&self) {
        soon("end of the connection", self.chunks.closed()).await;
    }

    /// Returns the value of a header, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

async fn answer(
    State(connections): State<mpsc::Sender<StreamConnection>>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (sender, mut chunks) = mpsc::channel(16);
    // The receiver may be gone already.
    let _ = connections.send(StreamConnection { method, headers, body, chunks: sender }).await;
    Response::builder()
        .header(CONTENT_TYPE, "text/event-stream; charset=utf-8")
        .header(CACHE_CONTROL, "no-cache, no-store, must-revalidate")
        .body(Body::from_stream(stream::poll_fn(move |cx| chunks.poll_recv(cx))))
        .unwrap()
}
