//! The hub over HTTP: [Mercure](https://mercure.rocks/spec), the topic API, authorization, and delivery to sockets.
//!
//! A request's way: [`server`] accepts the [`connection`], `admission` lets the request in, [`routes`] finds the handler,
//! [`auth`] says who asks; then
//! [`publish`] makes updates of it and hands them to the hub, or [`subscribe`] makes a subscription of it and
//! [`delivery`] a stream. Whatever is refused on the way becomes a [`problem`].
#![deny(unsafe_code)]

mod accept;
mod admission;
pub mod app;
pub mod auth;
pub mod connection;
pub mod cors;
pub mod cursor;
pub mod delivery;
pub mod files;
pub mod form;
mod host;
mod html;
pub mod metadata;
pub mod page;
pub mod path;
pub mod problem;
pub mod publish;
pub mod routes;
pub mod server;
pub mod settings;
pub mod subscribe;
pub mod subscriptions;

pub use host::InvalidHost;
pub use server::Server;
pub use settings::Settings;
