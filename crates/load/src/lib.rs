//! Load on any server of event streams: many subscribers, each of which checks every event, and publishers at a pace.
//!
//! A [`scenario`] puts a server, which a [`target`] describes, through something: [`subscribe`] is its subscribers,
//! [`publish`] its publishers. A [`meter`] reads what that costs the server, if it is on this machine. `fanfare load`
//! runs one scenario against one server.
#![deny(unsafe_code)]

pub mod body;
pub mod epoch;
pub mod fault;
pub mod histogram;
pub mod machine;
pub mod meter;
pub mod pattern;
pub mod process;
pub mod process_tree;
pub mod progress;
pub mod publish;
pub mod recipe;
pub mod scenario;
pub mod stamp;
pub mod subscribe;
pub mod target;
