//! The program that a page writes with `new EventSource(url)`, in Rust:
//! `cargo run -p fanfare-client --example callbacks [URL]`.
mod scripted;

use fanfare_client::EventSource;
use scripted::{Answer, Request};
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let source = EventSource::new(scripted::url(answer)?)?;
    let handle = source.handle();
    let mut total = 0;
    source
        .listen()
        .on_open(|opened| println!("open: {}", opened.parts.status))
        .on_message(|event| println!("message: {}", event.data))
        .on_error(|error| println!("error: {error}, {:?}", error.ready_state()))
        .add_event_listener("add", |event| total += event.data.parse().unwrap_or(0))
        .add_event_listener("end", move |_| handle.close())
        .run()
        .await?;
    println!("total: {total}");
    Ok(())
}

fn answer(request: &Request) -> Answer {
    match request.number {
        1 => Answer::Events("retry: 100\ndata: hello\n\nevent: add\ndata: 40\n\n".into()),
        _ => Answer::Open("event: add\ndata: 2\n\nevent: end\ndata: bye\n\ndata: never seen\n\n".into()),
    }
}
