//! `cargo run -p fanfare-conformance --example discovery`, beside `fanfare serve --cors-origin http://127.0.0.1:3001`; then open
//! the URL that it prints, and see it change:
//!
//! ```sh
//! curl -i http://127.0.0.1:3001/books/1
//! curl -N 'http://127.0.0.1:3000/.well-known/mercure?match=http://127.0.0.1:3001/books/1' &
//! curl -X PUT -d '{"title":"Dune Messiah"}' http://127.0.0.1:3001/books/1
//! ```
mod backend;

use axum::{response::Html, routing::get};
use backend::{Hub, Settings, backend};
use std::env;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    let hub = variable("FANFARE_HUB").unwrap_or_else(|| "http://127.0.0.1:3000".into());
    let hub = Hub { url: format!("{hub}/.well-known/mercure"), token: variable("FANFARE_TOKEN") };
    // With a cookie for visitors, as `name=token`, the changes are theirs alone.
    let cookie = variable("COOKIE");
    let address = env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:3001".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let settings = Settings { hubs: vec![hub], topic: format!("{url}/books/1"), private: cookie.is_some(), cookie };
    println!("{url}");
    axum::serve(listener, backend(settings).route("/", get(Html(include_str!("page.html"))))).await
}
