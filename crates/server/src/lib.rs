//! The hub over HTTP: [Mercure](https://mercure.rocks/spec), the topic API, authorization, and delivery to sockets.
//!
//! The path of a request through the modules: [`server`] accepts the [`connection`], `admission` lets the request in,
//! [`routes`] finds the handler, and [`auth`] finds out who sent it. Then [`publish`] turns the request into updates
//! and gives them to the hub, or [`subscribe`] turns it into a subscription, which [`delivery`] sends as a stream.
//! Every refusal on this path becomes a [`problem`].
//!
//! # Systems
//!
//! The crate builds on Unix only: static files are opened by system calls that other systems do not have. Three things
//! work only on Linux, and not on macOS and the BSDs:
//!
//! - Only on Linux is a connection closed if its peer accepts no data, or has vanished, for the time
//!   [`write_timeout`](Settings::write_timeout): this needs `TCP_INFO`, which tells how much the peer has acknowledged,
//!   and keep-alive probes, which are set only there. Other systems close the connection of a peer that does not answer
//!   after about 15 minutes. They never close a silent connection whose peer has vanished, nor the connection of a peer
//!   that is there and reads nothing.
//! - Only on Linux is there a limit to the unsent bytes that the system holds
//!   ([`UNSENT_BYTES`](connection::UNSENT_BYTES)).
//! - Only on Linux, on x86-64 and AArch64, is there [`Delivery::IoUring`](settings::Delivery::IoUring).
#![deny(unsafe_code)]

#[cfg(not(unix))]
compile_error!(
    "fanfare-server builds on Unix only: it opens static files by system calls that other systems do not have"
);

mod accept;
mod admission;
pub mod app;
pub mod auth;
pub mod body;
pub mod connection;
pub mod cors;
pub mod cursor;
pub mod delivery;
mod erase;
mod every_answer;
pub mod files;
pub mod form;
mod health;
mod host;
mod html;
pub mod hub_path;
pub mod listener;
mod media_type;
pub mod metadata;
#[cfg(test)]
#[allow(dead_code, reason = "tests of other crates use the rest of it")]
#[path = "../../hub/tests/shared/obstructed_log.rs"]
mod obstructed_log;
pub mod open_files;
pub mod page;
pub mod path;
pub mod problem;
mod progress;
pub mod publish;
pub mod routes;
mod seldom;
pub mod server;
pub mod settings;
pub mod subscribe;
pub mod subscriptions;
mod time;
pub mod tls;

pub use host::InvalidHost;
pub use server::Server;
pub use settings::Settings;
