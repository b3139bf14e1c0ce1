//! Helpers that the tests of interoperation share: they start, watch and stop programs that other people wrote.
//!
//! `servers/` and `clients/` contain the programs, in the languages and with the packages that people use; `tests/`
//! contains the tests. `cargo xtask test --only interop` installs what the programs need, and then runs the tests;
//! [`installed`] knows where it was installed. All functions panic on an unexpected result, since only tests use them.
#![forbid(unsafe_code)]
#![allow(clippy::missing_panics_doc, reason = "a test fails by panicking")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod client;
pub mod crates;
pub mod curl;
pub mod directory;
pub mod event_source;
pub mod gate;
pub mod http;
pub mod hub;
pub mod installed;
pub mod nginx;
pub mod program;
pub mod proxy;
pub mod publisher;
pub mod scripted;
pub mod server;
pub mod subscribe;
pub mod subscriber;
pub mod token;

use std::time::Duration;

/// The longest time that a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);
