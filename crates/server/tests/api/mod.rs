//! The server as its peers see it: raw bytes on a real socket. Each way of delivery has to look the same, so each runs
//! all of it: the files beside this directory are the ways.
mod admission;
mod alias;
mod authorization;
mod bad_input;
mod cors;
mod cursor;
mod erase;
mod fixture;
mod half_closed;
mod handover;
mod hanging_log;
mod health;
mod heartbeat;
mod keep_alive;
mod mercure;
#[allow(dead_code, reason = "tests of other crates use the rest of it")]
#[path = "../../../hub/tests/shared/obstructed_log.rs"]
mod obstructed_log;
mod overload;
mod panicking_log;
mod publish;
mod refused_tokens;
mod replay;
mod representation;
mod reserved;
mod revisions;
mod revocation;
mod rewind;
mod slow;
mod socket;
#[cfg(target_os = "linux")]
mod stalled;
mod start_event;
mod static_files;
mod stopping;
mod subscriptions;
mod threads;
mod tokens;
mod visible;
