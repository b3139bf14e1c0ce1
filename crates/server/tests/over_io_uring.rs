//! The suite with sockets handed over to threads that write to many of them with one call.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#[path = "api/mod.rs"]
mod api;

const DELIVERY: fanfare_server::settings::Delivery = fanfare_server::settings::Delivery::IoUring;
const TLS: bool = false;
