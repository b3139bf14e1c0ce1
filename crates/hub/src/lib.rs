//! The hub: updates, topics, grants, the log, and the decision which subscriber gets which update, in which order. It
//! does not depend on HTTP.
//!
//! The files follow the path of an update from publishing to delivery. An [`update`] is what a publisher sends. The
//! [`hub`] passes it to the [`log`], which gives it a position. The router finds the audiences that the update reaches,
//! and sends its [`wire`] events to them. [`fan_out`] is the state machine that decides which subscriber gets which
//! bytes now: from the bounded [`window`] of the audience, by [`catch_up`] if the window does not reach back far
//! enough, and with a [`gap`] if the log does not reach back far enough either. A caller that runs threads that deliver
//! to many subscribers uses a [`mailbox`]; a caller that polls one subscriber uses a [`subscription`].
#![forbid(unsafe_code)]

pub mod audience_key;
pub mod budget;
mod bundle;
pub mod catch_up;
pub mod ending;
pub mod entry;
pub mod failure;
pub mod fan_out;
pub mod framing;
pub mod gap;
pub mod grant;
pub mod hub;
mod join_permit;
pub mod log;
pub mod mailbox;
pub mod notice;
pub mod opening;
mod polled;
pub mod position;
mod prefix_tree;
pub mod replay;
pub mod representation;
pub mod rewind;
mod rewind_search;
mod rewinding;
mod router;
mod routes;
pub mod run;
#[cfg(test)]
mod scale;
mod shared;
pub mod start_event;
pub mod subscription;
pub mod topic;
pub mod update;
mod visible;
mod wakeup;
pub mod window;
pub mod wire;

pub use hub::{Hub, HubLimits};
pub use window::WindowLimit;
