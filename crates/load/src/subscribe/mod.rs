//! Subscribers by the thousand, each of which checks every event: one thread of them, or several processes.
//!
//! `subscribers.rs` is all that one thread waits for, each of them a `subscriber.rs`. A [`worker`] does
//! with them what it is told, in a thread here or in a process of its own; the [`Crowd`](crowd::Crowd) is all workers.
pub mod crowd;
mod order;
pub mod report;
pub mod response;
mod socket;
mod subscriber;
mod subscribers;
pub mod worker;
