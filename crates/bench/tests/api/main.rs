//! The baselines.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod bare_write;
