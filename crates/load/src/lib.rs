//! A load generator for any server of event streams: many subscribers, each of which checks every event, and publishers
//! at a given rate.
//!
//! A [`scenario`] is run on a server, which a [`target`] describes. [`subscribe`] has the subscribers, and [`publish`]
//! the publishers. A [`meter`] measures what this costs the server, if the server is on this machine. `fanfare load`
//! runs one scenario on one server.
#![deny(unsafe_code)]

pub mod body;
pub mod epoch;
pub mod fault;
pub mod histogram;
pub mod machine;
pub mod meter;
pub mod pattern;
pub mod port;
pub mod process;
pub mod process_tree;
pub mod progress;
pub mod publish;
pub mod recipe;
pub mod scenario;
pub mod stamp;
pub mod subscribe;
pub mod target;
