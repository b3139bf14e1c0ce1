//! Clients that read the same streams: ours, those that others wrote, and the least that a client can be.
//!
//! A [`scenario`] says what is sent and in what pieces; [`server`] sends it, as fast as the socket takes it. Each
//! [`contender`] reads in a process of its own ([`reader`]), on a runtime of one thread, so that the CPU time and the
//! allocations of that process are its own; its [`tally`] sees whether every event came, by a [`checksum`] of the data.
//! [`duel`] lets them take turns, and [`summary`] is what a scenario showed.
pub mod checksum;
pub mod contender;
pub mod duel;
pub mod reader;
pub mod scenario;
pub mod server;
pub mod summary;
pub mod tally;
