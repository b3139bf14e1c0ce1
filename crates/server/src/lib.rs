//! The hub over HTTP: [Mercure](https://mercure.rocks/spec), the topic API, authorization, and delivery to sockets.
//!
//! A request's way: [`server`] accepts the [`connection`], `admission` lets the request in, [`routes`] finds the
//! handler, [`auth`] says who asks; then [`publish`] makes updates of it and hands them to the hub, or [`subscribe`]
//! makes a subscription of it and [`delivery`] a stream. Whatever is refused on the way becomes a [`problem`].
//!
//! # Systems
//!
//! The crate builds on Unix only: static files are opened by calls that other systems do not have. Linux, macOS and the
//! BSDs differ in what they do for a connection:
//!
//! - Only on Linux does a peer that takes nothing, or has vanished, end its connection after
//!   [`write_timeout`](Settings::write_timeout): this needs `TCP_USER_TIMEOUT`, and keep-alive probes, which are only
//!   set there. Elsewhere the system's own patience counts, which is some 15 minutes for a peer that takes nothing, and
//!   has no end for one that vanished from a silent connection.
//! - Only on Linux is what the system holds unsent bounded ([`UNSENT_BYTES`](connection::UNSENT_BYTES)).
//! - Only on Linux, on x86-64 and AArch64, is there [`Delivery::IoUring`](settings::Delivery::IoUring).
#![deny(unsafe_code)]

#[cfg(not(unix))]
compile_error!("fanfare-server builds on Unix only: it opens static files by calls that other systems do not have");

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
mod host;
mod html;
pub mod hub_path;
mod media_type;
pub mod metadata;
pub mod page;
pub mod path;
pub mod problem;
pub mod publish;
pub mod routes;
mod seldom;
pub mod server;
pub mod settings;
pub mod subscribe;
pub mod subscriptions;
mod time;

pub use host::InvalidHost;
pub use server::Server;
pub use settings::Settings;
