//! An event source as a state machine. It has no socket, no clock, no task and no file.
//!
//! A driver reports to the state machine what has happened and what time it is, and carries out its [orders](Order).
//! The state machine decides everything else: what is sent, what a response means, which signals there are, when the
//! next attempt is due, and which ID may be saved. So the whole life of an event source can be tested in virtual time.
//!
//! `opening` contains the steps from an attempt to an open stream, `streaming` the open stream, and `leaving` the end
//! of a connection.
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
