//! Benchmarks, baselines, and recorded runs.
//!
//! Every figure is a ratio between things that were measured in the same run, side by side, because machines differ and
//! are shared. [`fanfare_load`] makes the load. Each binary in `src/bin` compares several things: servers, clients,
//! parsers, or logs. The last line that a binary prints is JSON. Runs worth keeping are in `runs/` with their machine,
//! commit and command.
#![deny(unsafe_code)]

pub mod bare_server;
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    path = "bare_uring_absent.rs"
)]
pub mod bare_uring;
pub mod bare_write;
pub mod client;
pub mod log;
pub mod report;
pub mod sample;
pub mod server;
pub mod spread;
