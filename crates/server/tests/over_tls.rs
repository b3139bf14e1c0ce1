//! The suite over TLS, with sockets handed over to threads that seal the records of each of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#[path = "api/mod.rs"]
mod api;

const DELIVERY: fanfare_server::settings::Delivery = fanfare_server::settings::Delivery::Auto;
const TLS: bool = true;
