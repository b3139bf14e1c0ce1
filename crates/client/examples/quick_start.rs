//! Prints the events of a server until the server has no more: `cargo run -p fanfare-client --example quick_start
//! [URL]`.
mod scripted;

use fanfare_client::EventSource;
use futures_util::TryStreamExt as _;
use scripted::{Answer, Request};
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut source = EventSource::new(scripted::url(answer)?)?;
    while let Some(event) = source.try_next().await? {
        println!("{} {:?}: {}", event.event_type, event.id(), event.data);
    }
    println!("the server has no more events");
    Ok(())
}

/// Ends the first response in the middle of an event. The second response continues after the last complete event.
fn answer(request: &Request) -> Answer {
    match request.header("last-event-id") {
        "" => Answer::Events("retry: 100\ndata: hello\n\nid: 7\nevent: add\ndata: 73857293\n\nid: 8\nda".into()),
        "7" => Answer::Events("id: 8\nevent: remove\ndata: 2153\n\n".into()),
        _ => Answer::Status("204 No Content"),
    }
}
