//! The real binary, run as a person or a script runs it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod check;
mod compose;
mod config;
mod examples;
mod hub;
mod keys;
mod lint;
mod load;
mod peer;
mod program;
mod publish;
mod refusal;
mod relay;
mod secrets;
mod serve;
mod slips;
mod subscribe;
mod token;
