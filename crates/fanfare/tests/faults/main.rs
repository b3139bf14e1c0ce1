//! The real binary, killed, restarted, flooded and stalled, and what its subscribers got of it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod crash;
mod descriptors;
mod erase;
#[cfg(target_os = "linux")]
mod failing_disk;
mod hub;
#[path = "../shared/killed.rs"]
mod killed;
mod long_log;
mod peer;
mod relay;
mod stalled;
mod stopping;
mod upstream;
