//! Thousands of subscribers, each of which checks every event, in one thread or in several processes.
//!
//! `subscribers.rs` has all subscribers of one thread, and `subscriber.rs` a single one. A [`worker`] carries out
//! commands for its subscribers, in a thread of this process or in its own process; the [`Crowd`](crowd::Crowd) has all
//! workers.
pub mod crowd;
mod order;
pub mod report;
pub mod response;
mod socket;
mod subscriber;
mod subscribers;
pub mod worker;
