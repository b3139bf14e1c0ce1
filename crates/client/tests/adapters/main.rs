//! The adapters of event sources: streams of streams, callbacks, stores.
#![allow(clippy::unwrap_used, reason = "a test fails where it cannot go on")]

mod blocking;
#[cfg(feature = "json")]
mod json;
mod listeners;
mod script;
mod store;
mod until;
