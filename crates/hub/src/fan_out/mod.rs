//! Fan-out: decides which member gets which bytes now, what follows if a member takes only some of the bytes of a send,
//! which member needs the log, and when a heartbeat is due.
//!
//! [`FanOut`] is a state machine. It has no socket, no lock and no clock: a driver reports to it what happened and what
//! time it is, and gives it a [`Transmit`] that sends bytes to a member. There are two drivers. A shard of the server
//! owns a thread and many sockets; `polled.rs` serves callers that poll a subscription, such as the body of a response.
//!
//! A [`Member`](member::Member) is one subscriber: a cursor and little else. A part (`part.rs`) holds those members of
//! one audience that belong to this state machine, and the window of events that some of them still need.
//!
//! The calls of a driver, in the order of a subscriber's life:
//!
//! | call | file |
//! |---|---|
//! | [`FanOut::join`], then [`Turn::start`] | `join.rs` |
//! | [`Turn::take_events`], [`Turn::deliver`]: events go to the members that wait | `deliver.rs` |
//! | [`Turn::writable`]: a member that was full gets more bytes | `advance.rs` |
//! | [`FanOut::next_read`], [`Turn::take_step`], [`Turn::cannot_read`], [`Turn::end_readers`]: catch-up through the log | `reading.rs` |
//! | [`FanOut::deadline`], [`Turn::expire`]: heartbeats and ends | `timing.rs` |
//! | [`Turn::end`], [`FanOut::leave`], [`FanOut::take_departed`], [`FanOut::take_abandoned`] | `leave.rs` |
mod advance;
mod deliver;
mod join;
mod leave;
pub mod member;
mod moment;
mod part;
mod parts;
mod read_queue;
mod reading;
mod send;
mod silence;
#[cfg(test)]
mod simulation;
mod state;
#[cfg(test)]
mod tests;
pub mod timing;

pub use advance::RUN_BYTES;
pub use deliver::{LEAST_WINDOW_BYTES, LEAST_WINDOW_EVENTS, MAX_WINDOW_BYTES, MAX_WINDOW_EVENTS};
pub use join::{Joining, Places};
pub use member::{Departed, Departure, MemberKey};
pub use read_queue::{CONCURRENT_BARREN_READS, CONCURRENT_READS, CONCURRENT_SCANS, CONCURRENT_STRANGERS_READS};
pub use reading::Wanted;
pub use send::{Outgoing, Transmit, Unsent};
pub use state::{FanOut, Turn};
