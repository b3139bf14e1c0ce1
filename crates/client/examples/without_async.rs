//! A program without `async`: `cargo run -p fanfare-client --example without_async [URL]`.
mod scripted;

use fanfare_client::{EventSource, Events as _};
use scripted::{Answer, Request};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let source = EventSource::new(scripted::url(answer)?)?;
    for event in source.until("end").blocking()? {
        println!("{}", event?.data);
    }
    Ok(())
}

fn answer(_: &Request) -> Answer {
    Answer::Open("data: 1\n\ndata: 2\n\ndata: end\n\n".into())
}
