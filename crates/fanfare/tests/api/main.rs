//! The real binary, run as a person or a script runs it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod check;
mod compose;
mod config;
mod credentials;
mod curl;
mod examples;
mod hub;
mod keys;
#[path = "../shared/killed.rs"]
mod killed;
mod lint;
mod load;
mod log;
mod messages;
mod output;
mod peer;
mod program;
mod proxied;
mod publish;
mod refusal;
mod refused_tokens;
mod relay;
mod rewind;
mod secrets;
mod serve;
mod slips;
mod static_files;
mod subscribe;
mod tls;
mod token;
