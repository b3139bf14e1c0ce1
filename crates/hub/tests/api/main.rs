//! The hub as its users see it: publish, subscribe, resume.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod barren;
mod budget;
mod fixture;
mod joining;
mod log;
#[allow(dead_code, reason = "tests of other crates use the rest of it")]
#[path = "../shared/obstructed_log.rs"]
mod obstructed_log;
mod panicking_log;
mod private;
mod resume;
mod rewind;
mod routing;
mod slow;
mod start_event;
mod visible;
