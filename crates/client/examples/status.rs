//! Prints the state of the connection: `cargo run -p fanfare-client --example status [URL]`.
mod scripted;

use fanfare_client::{EventSource, Reconnect, Signal};
use futures_util::TryStreamExt as _;
use scripted::{Answer, Request};
use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let policy = Reconnect::resilient().max_attempts(10);
    let mut signals = EventSource::builder(scripted::url(answer)?).reconnect(policy).build()?.signals();
    while let Some(signal) = signals.try_next().await? {
        match signal {
            Signal::Open(opened) => println!("connected to {}", opened.url.path()),
            Signal::Event(event) => println!("  {}", event.data),
            Signal::Comment(_) => println!("  (alive)"),
            Signal::Reconnecting { cause, delay } => {
                println!("{cause}: next attempt in less than {} s", delay.as_secs() + 1);
            }
            other => println!("{other:?}"),
        }
    }
    println!("the server has no more events");
    Ok(())
}

fn answer(request: &Request) -> Answer {
    match request.number {
        1 => Answer::Events("retry: 100\n: hello\n\ndata: 1\n\n".into()),
        2 => Answer::Status("502 Bad Gateway"),
        3 => Answer::Events("data: 2\n\n".into()),
        _ => Answer::Status("204 No Content"),
    }
}
