//! The server as its peers see it: raw bytes on a real socket.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod alias;
mod authorization;
mod bad_input;
mod cors;
mod cursor;
mod fixture;
mod heartbeat;
mod mercure;
mod overload;

mod publish;
mod representation;
mod slow;
