//! The contract tests of SSE clients, after those of <https://github.com/launchdarkly/sse-contract-tests> (version 2.31
//! and the later changes until 2026), case by case and with the same names. Like those tests, they start the service as
//! a separate process and drive it over HTTP. There are also tests of the service's own interface.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod basic_parsing;
mod bom;
mod comments;
mod harness;
mod http_behavior;
mod linefeeds;
mod payload_sizes;
mod reconnection;
mod service;
