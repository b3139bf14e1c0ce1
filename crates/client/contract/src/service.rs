//! The REST interface, by which the tests create, command and end streams.
use crate::{
    callbacks::Callbacks,
    parameters::{Parameters, Unusable},
    stream::report,
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use fanfare_client::{
    Handle,
    transport::{HyperTransport, Proxy},
};
use http::{StatusCode, header::LOCATION};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::{
    net::TcpListener,
    sync::Notify,
    task::{AbortHandle, spawn},
};

/// The optional capabilities that the tests know and the client has. The client does not need to know event types in
/// advance, so `event-type-listeners` is missing.
const CAPABILITIES: [&str; 10] = [
    "bom",
    "comments",
    "headers",
    "last-event-id",
    "payload-size-stress-testable",
    "post",
    "read-timeout",
    "report",
    "restart",
    // Status 204 ends a stream. This capability was called "204" until version 2.2 of the tests.
    "server-directed-shutdown-request",
];
/// The greatest number of streams at a time. The tests use only one.
const MAX_STREAMS: usize = 100;
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// Serves requests until a `DELETE /` comes.
pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let service = Arc::new(Service::new());
    let routes = Router::new()
        .route("/", get(status).post(create).delete(end))
        .route("/streams/{number}", post(command).delete(close))
        .layer(DefaultBodyLimit::max(MAX_REQUEST_BYTES))
        .with_state(Arc::clone(&service));
    axum::serve(listener, routes).with_graceful_shutdown(async move { service.ended.notified().await }).await
}

struct Service {
    streams: Mutex<Streams>,
    /// The transport for streams. Streams and callbacks may have one origin, but must not share connections, because
    /// only the streams are tested.
    for_streams: HyperTransport,
    for_callbacks: HyperTransport,
    ended: Notify,
}

#[derive(Default)]
struct Streams {
    running: BTreeMap<u64, Stream>,
    made: u64,
}

struct Stream {
    handle: Handle,
    task: AbortHandle,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The reason why a request was refused.
enum Refusal {
    Parameters(Unusable),
    Command(Option<serde_json::Error>),
    TooManyStreams,
    NoSuchStream,
}

#[derive(Deserialize)]
struct Command {
    command: String,
}

impl Service {
    fn new() -> Self {
        let direct = || HyperTransport::builder().proxy(Proxy::None).build();
        Self { streams: Mutex::default(), for_streams: direct(), for_callbacks: direct(), ended: Notify::new() }
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().expect("nothing panics while it holds the streams")
    }
}

async fn status() -> Json<Value> {
    Json(json!({ "name": "fanfare-client", "capabilities": CAPABILITIES }))
}

async fn create(State(service): State<Arc<Service>>, body: Bytes) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(&body)?;
    let source = parameters.event_source(&service.for_streams)?;
    let callbacks = Callbacks::new(service.for_callbacks.clone(), parameters.callback_url()?);
    let mut streams = service.streams();
    if streams.running.len() >= MAX_STREAMS {
        return Err(Refusal::TooManyStreams);
    }
    streams.made += 1;
    let number = streams.made;
    let handle = source.handle();
    let task = spawn(report(source.signals(), callbacks)).abort_handle();
    streams.running.insert(number, Stream { handle, task });
    Ok((StatusCode::CREATED, [(LOCATION, format!("/streams/{number}"))]).into_response())
}

async fn command(
    State(service): State<Arc<Service>>,
    Path(number): Path<u64>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let streams = service.streams();
    let stream = streams.running.get(&number).ok_or(Refusal::NoSuchStream)?;
    let Command { command } = serde_json::from_slice(&body).map_err(|error| Refusal::Command(Some(error)))?;
    match &*command {
        "restart" => stream.handle.reconnect_now(),
        // The client receives events of all types already.
        "listen" => {}
        _ => return Err(Refusal::Command(None)),
    }
    Ok(StatusCode::ACCEPTED)
}

async fn close(State(service): State<Arc<Service>>, Path(number): Path<u64>) -> Result<StatusCode, Refusal> {
    let stream = service.streams().running.remove(&number);
    stream.map(|_| StatusCode::NO_CONTENT).ok_or(Refusal::NoSuchStream)
}

async fn end(State(service): State<Arc<Service>>) -> StatusCode {
    service.streams().running.clear();
    service.ended.notify_one();
    StatusCode::NO_CONTENT
}

impl From<Unusable> for Refusal {
    fn from(unusable: Unusable) -> Self {
        Self::Parameters(unusable)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Parameters(unusable) => (StatusCode::BAD_REQUEST, unusable.to_string()),
            Self::Command(Some(error)) => (StatusCode::BAD_REQUEST, format!("the command cannot be read: {error}")),
            Self::Command(None) => (StatusCode::BAD_REQUEST, "there is no such command".to_owned()),
            Self::TooManyStreams => {
                (StatusCode::SERVICE_UNAVAILABLE, format!("there are {MAX_STREAMS} streams already"))
            }
            Self::NoSuchStream => (StatusCode::NOT_FOUND, "there is no such stream".to_owned()),
        }
        .into_response()
    }
}
