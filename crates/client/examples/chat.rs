//! A talk with a language model, turn by turn: `cargo run -p fanfare-client --example chat [URL]`.
mod scripted;

use fanfare_client::{EventSource, Events as _, transport::HyperTransport};
use futures_util::TryStreamExt as _;
use http::Method;
use scripted::{Answer, Request};
use serde::{Deserialize, Serialize};
use std::{
    error::Error,
    io::{Write as _, stdout},
};

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: String,
}

#[derive(Deserialize)]
struct Delta {
    text: String,
}

struct Chat {
    url: String,
    key: &'static str,
    /// The transport, which all turns share, so that they use the same connections.
    transport: HyperTransport,
    messages: Vec<Message>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (url, transport) = (scripted::url(answer)?, HyperTransport::new());
    let mut chat = Chat { url, key: "stale", transport, messages: Vec::new() };
    if let Err(error) = chat.ask("Hello?").await {
        println!("{error}");
    }
    chat.key = "secret";
    for question in ["What is SSE?", "And what is it good for?"] {
        println!("> {question}");
        chat.ask(question).await?;
    }
    Ok(())
}

impl Chat {
    async fn ask(&mut self, question: &str) -> Result<(), Box<dyn Error>> {
        self.messages.push(Message { role: "user", content: question.into() });
        let mut source = EventSource::builder(&self.url)
            .method(Method::POST)
            .bearer(self.key)
            .header("Content-Type", "application/json")
            .body(serde_json::to_vec(&self.messages)?)
            .transport(self.transport.clone())
            .build()?;
        // The head of the response shows if the server answers at all, before the first word of the answer.
        if let Err(error) = source.open().await {
            self.messages.pop();
            return Err(error.into());
        }
        let mut answer = String::new();
        let mut deltas = source.until_prefix("[DONE]").of_types(["delta"]).json::<Delta>();
        while let Some(delta) = deltas.try_next().await? {
            let text = delta.value?.text;
            print!("{text}");
            stdout().flush()?;
            answer += &text;
        }
        println!();
        self.messages.push(Message { role: "assistant", content: answer });
        Ok(())
    }
}

fn answer(request: &Request) -> Answer {
    if request.header("authorization") != "Bearer secret" {
        return Answer::Status("401 Unauthorized");
    }
    let words = match request.body.contains("good for") {
        false => ["Server-", "Sent ", "Events."],
        true => ["For answers ", "like ", "this one."],
    };
    let words = words.map(|word| format!("event: delta\ndata: {{\"text\": \"{word}\"}}\n\n"));
    Answer::Open(format!("event: ping\ndata: {{}}\n\n{}data: [DONE] 3 words\n\n", words.concat()))
}
