//! An answer that a language model writes while it is read: `cargo run -p fanfare-client --example llm [URL]`.
mod scripted;

use fanfare_client::{EventSource, Events as _};
use futures_util::TryStreamExt as _;
use http::Method;
use scripted::{Answer, Request};
use serde::Deserialize;
use std::{
    error::Error,
    io::{Write as _, stdout},
    time::Duration,
};

#[derive(Deserialize)]
struct Delta {
    text: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let source = EventSource::builder(scripted::url(answer)?)
        .method(Method::POST)
        .bearer("secret")
        .header("Content-Type", "application/json")
        .body(r#"{"stream": true, "prompt": "What is SSE?"}"#)
        // A model may think for a long time, but if the server sends nothing for a minute, the connection is probably
        // broken.
        .idle_timeout(Duration::from_secs(60))
        // Some servers send `event: ping` without data. The standard says that clients ignore such an event.
        .events_without_data(true)
        .build()?;

    // A POST is not sent again automatically. An answer that ends without the marker is incomplete, which is also an
    // error.
    let mut answer = source.until("[DONE]").json::<Delta>();
    while let Some(delta) = answer.try_next().await? {
        match &*delta.event.event_type {
            "ping" => print!("… "),
            _ => print!("{}", delta.value?.text),
        }
        stdout().flush()?;
    }
    println!();
    Ok(())
}

fn answer(request: &Request) -> Answer {
    if request.header("authorization") != "Bearer secret" || !request.body.contains("What is SSE?") {
        return Answer::Status("401 Unauthorized");
    }
    let words = ["Server-", "Sent ", "Events."].map(|word| format!("data: {{\"text\": \"{word}\"}}\n\n"));
    Answer::Open(format!("event: ping\n\n{}data: [DONE]\n\n", words.concat()))
}
