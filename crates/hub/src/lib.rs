//! The hub: updates, topics, grants, the log, and who gets what in which order. It knows nothing of HTTP.
//!
//! The files follow the walk from publish to delivery. An [`update`] is what a publisher hands over. The [`hub`] passes
//! it to the [`log`], which gives it its place. The router finds the audiences that it reaches, and hands out its
//! [`wire`] events. [`fan_out`] is the state machine that decides who gets which of them now: from the bounded
//! [`window`] of the audience, by [`catch_up`] where the window does not reach back far enough, and with a [`gap`] where
//! the log does not. Whoever has threads of its own drives it with a [`mailbox`]; whoever polls has a [`subscription`].
#![forbid(unsafe_code)]

pub mod audience_key;
mod bundle;
pub mod catch_up;
pub mod ending;
pub mod entry;
pub mod fan_out;
pub mod gap;
pub mod grant;
pub mod hub;
mod join_permit;
pub mod log;
pub mod mailbox;
pub mod opening;
mod polled;
pub mod position;
pub mod replay;
pub mod representation;
pub mod rewind;
mod rewinding;
mod router;
mod routes;
pub mod run;
mod shared;
pub mod subscription;
pub mod topic;
pub mod update;
mod visible;
mod wakeup;
pub mod window;
pub mod wire;

pub use hub::{Hub, HubLimits};
pub use window::WindowLimit;
