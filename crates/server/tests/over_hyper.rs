//! The suite with streams delivered through hyper, as bodies.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#[path = "api/mod.rs"]
mod api;

const DELIVERY: fanfare_server::settings::Delivery = fanfare_server::settings::Delivery::Hyper;
const TLS: bool = false;
