//! `cargo run -p fanfare-conformance --example discovery`, beside `fanfare serve`; then, in another terminal:
//!
//! ```sh
//! curl -i http://127.0.0.1:3001/books/1
//! curl -N 'http://127.0.0.1:3000/.well-known/mercure?match=http://127.0.0.1:3001/books/1' &
//! curl -X PUT -d '{"title":"Dune Messiah"}' http://127.0.0.1:3001/books/1
//! ```
mod backend;

use backend::{Hub, Settings, backend};
use std::env;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let hub = env::var("FANFARE_HUB").unwrap_or_else(|_| "http://127.0.0.1:3000".into());
    let hub = Hub { url: format!("{hub}/.well-known/mercure"), token: env::var("FANFARE_TOKEN").ok() };
    let topic = "http://127.0.0.1:3001/books/1".into();
    let settings = Settings { hubs: vec![hub], topic, private: false, cookie: None };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3001").await?;
    axum::serve(listener, backend(settings)).await
}
