//! A server that passes on the events of another server. It sends that server a token that browsers never see:
//! `cargo run -p fanfare-client --example axum_proxy [URL]`.
mod scripted;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use fanfare_client::{Error, EventSource, Reconnect};
use futures_util::{StreamExt as _, TryStreamExt as _};
use scripted::{Answer, Request};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = Router::new().route("/events", get(events)).with_state(scripted::url(answer)?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/events", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    // Reads the events as a browser would.
    let mut source = EventSource::new(url)?;
    while let Some(event) = source.try_next().await? {
        println!("{} at {:?}: {}", event.event_type, event.last_event_id, event.data);
    }
    println!("the server has no more events");
    Ok(())
}

async fn events(State(upstream): State<String>, headers: HeaderMap) -> Result<Response, Response> {
    let refused = |status: StatusCode, error: &dyn std::error::Error| (status, error.to_string()).into_response();
    let last_event_id = headers.get("last-event-id").map(|id| String::from_utf8_lossy(id.as_bytes()));
    let mut source = EventSource::builder(upstream)
        .bearer("secret")
        .last_event_id(last_event_id.unwrap_or_default())
        // A block that is not an event may still set the last event ID.
        .blocks(true)
        // The browser reconnects itself, and sends the last event ID that it has seen.
        .reconnect(Reconnect::never())
        .build()
        .map_err(|error| refused(StatusCode::BAD_REQUEST, &error))?;
    match source.open().await {
        Ok(_) => {}
        Err(Error::NoContent) => return Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => return Err(refused(error.status().unwrap_or(StatusCode::BAD_GATEWAY), &error)),
    }
    let bytes = source.signals().filter_map(|signal| async { signal.map(|signal| signal.to_wire()).transpose() });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    Ok((headers, Body::from_stream(bytes)).into_response())
}

/// Answers with one event and the last event ID 7, then with one more event, and then with 204, which means that there
/// are no more events.
fn answer(request: &Request) -> Answer {
    match (request.header("authorization"), request.header("last-event-id")) {
        ("Bearer secret", "") => Answer::Events("retry: 100\n\n: hello\n\nid: 1\ndata: one\n\nid: 7\n\n".into()),
        ("Bearer secret", "7") => Answer::Events("id: 8\nevent: end\ndata: bye\n\n".into()),
        ("Bearer secret", _) => Answer::Status("204 No Content"),
        _ => Answer::Status("401 Unauthorized"),
    }
}
