//! The load generator against peers that behave, and peers that do not.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod peer;
mod publishers;
mod subscribers;
