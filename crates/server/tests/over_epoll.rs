//! The suite with sockets handed over to threads that write to each of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#[path = "api/mod.rs"]
mod api;

const DELIVERY: fanfare_server::settings::Delivery = fanfare_server::settings::Delivery::Epoll;
const TLS: bool = false;
