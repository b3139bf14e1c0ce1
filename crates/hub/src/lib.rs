//! The hub: updates, topics, grants, the log, and who gets what in which order. It knows nothing of HTTP.
//!
//! The files follow the walk from publish to delivery: [`update`] is what a publisher hands over, [`hub`] passes it to
//! the [`log`], which gives it its place, the router finds the audiences it reaches, each audience keeps the
//! [`wire`] events that its members still need in a bounded window, and a [`subscription`] is one subscriber's way
//! through all of that, with catch-up where the window does not reach back far enough and a [`gap`] where the log does
//! not.
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
