//! Sets fetched from a server on loopback.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod issuer;
mod refusal;
mod rotation;
