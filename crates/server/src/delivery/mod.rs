//! Delivery: writing encoded events to sockets.
//!
//! The handler of a request grants a [`stream`]. There are two ways to deliver it. [`shards`] take sockets from the
//! HTTP server and send through an `engine`; `gates` are the ways to them, and `makings` replace those that have died.
//! [`body`] gives the events to hyper, which works for every kind of connection. A [`replay`] is a stream that ends
//! after the newest event in the log. [`head`] is the start of a stream and [`lifetime`] decides its end; [`wheel`]
//! keeps the timers of many streams.
pub mod body;
pub(crate) mod engine;
mod gates;
pub mod head;
mod incoming;
pub mod lifetime;
mod makings;
pub mod replay;
mod shard;
pub mod shards;
pub mod stream;
mod turns;
pub mod wheel;

use crate::seldom::Seldom;
use fanfare_hub::log::LogError;

/// Logs that streams end because the log could not be read for them. Subscribers can use up a budget as often as they
/// like, so this reason is logged seldom.
fn log_end(what: &str, error: &LogError) {
    static OVER_BUDGET: Seldom = Seldom::new();
    match error {
        LogError::OverBudget(over) if OVER_BUDGET.is_due() => {
            tracing::warn!("{what}: {over}; such subscribers are expected to come back");
        }
        LogError::OverBudget(_) => {}
        error => tracing::error!("{what}: {error}"),
    }
}
