//! A transport that the program itself defines: it answers with a recording, without a network.
//! `cargo run -p fanfare-client --example own_transport`.
use bytes::Bytes;
use fanfare_client::{EventSource, Reconnect, transport::RequestBody};
use futures_util::TryStreamExt as _;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body_util::Full;
use std::{
    error::Error,
    future::{Ready, ready},
    task::{Context, Poll},
};
use tower_service::Service;

const RECORDING: &[u8] = b"id: 1\ndata: what the server said\n\nid: 2\ndata: and what it said next\n\n";

#[derive(Clone)]
struct Recording;

/// Any `tower` service of this form is a transport, also one that is wrapped in layers, for example for tracing or
/// limits.
impl Service<Request<RequestBody>> for Recording {
    type Response = Response<Full<Bytes>>;
    type Error = http::Error;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        println!("{} {}", request.method(), request.uri());
        let body = Full::new(Bytes::from_static(RECORDING));
        ready(Response::builder().header(CONTENT_TYPE, "text/event-stream").body(body))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut source = EventSource::builder("http://recorded.example/events")
        .transport(Recording)
        // The recording is not played again after its end.
        .reconnect(Reconnect::never())
        .build()?;
    while let Some(event) = source.try_next().await? {
        println!("{}", event.data);
    }
    Ok(())
}
