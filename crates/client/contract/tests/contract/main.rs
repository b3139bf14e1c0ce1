//! The contract tests of SSE clients, after those of <https://github.com/launchdarkly/sse-contract-tests> (version 2.31
//! and what followed it until 2026), case by case and under their names: they drive the service as a process of its
//! own, over HTTP, as those do. Beside them, the service's own interface.
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
