//! An event source as a state machine. It has no socket, no clock, no task and no file.
//!
//! A driver tells it what has happened and what time it is, and does what it [orders](Order). The machine decides all
//! the rest: what is sent, what a response means, which signals there are, when the next attempt is due, and which ID
//! may be kept. So the whole life of an event source can be tested in virtual time.
//!
//! `opening` leads from an attempt to an open stream, `streaming` is the open stream, `leaving` is what comes after it.
mod exchange;
mod judge;
mod leaving;
mod machine;
mod opening;
mod progress;
mod reading;
mod rules;
mod streaming;
#[cfg(test)]
mod tests;

pub(crate) use exchange::Answer;
pub(crate) use machine::{Order, Session};
pub(crate) use progress::Progress;
pub(crate) use reading::Comments;
pub(crate) use rules::Rules;
