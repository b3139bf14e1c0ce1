//! The service that the [contract tests of SSE clients](https://github.com/launchdarkly/sse-contract-tests) drive. Over
//! HTTP, the tests say which streams the service has to read. They serve these streams, and compare the messages that
//! the service sends back.
//!
//! `fanfare-client-contract [PORT]` listens on the loopback address and prints its URL. The default port is the one
//! that the tests expect; with 0 the system chooses a port. `DELETE /` ends the program.
#![forbid(unsafe_code)]

mod callbacks;
mod parameters;
mod service;
mod stream;

use std::{env, io, net::Ipv4Addr};
use tokio::net::TcpListener;

const DEFAULT_PORT: u16 = 8000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let port = match env::args().nth(1) {
        Some(port) => port.parse().map_err(io::Error::other)?,
        None => DEFAULT_PORT,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    println!("http://{}", listener.local_addr()?);
    service::serve(listener).await
}
