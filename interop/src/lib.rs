//! What the tests of interoperation share: programs that others wrote, started, watched and ended.
//!
//! `servers/` and `clients/` hold the programs, in the languages and with the packages that people use; `tests/` tries
//! them. What they need is installed by `cargo xtask test --only interop`, which then runs the tests; [`installed`]
//! says where it lies. Everything here panics when something is not as it should be, since only tests use it.
#![forbid(unsafe_code)]
#![allow(clippy::missing_panics_doc, reason = "a test fails by panicking")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod curl;
pub mod directory;
pub mod event_source;
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

/// What a test waits for at most, for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);
