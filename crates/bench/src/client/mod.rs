//! Clients that read the same streams: ours, those of other projects, and the smallest possible client.
//!
//! A [`scenario`] defines what is sent and in what pieces; [`server`] sends it, as fast as the socket takes it. Each
//! [`contender`] reads in its own process ([`reader`]), on a runtime of one thread, so that the CPU time and the
//! allocations of that process are only the contender's. A [`tally`] checks that every event arrived, by a [`checksum`]
//! of the data. [`duel`] runs the turns, and [`summary`] computes the results of a scenario.
pub mod checksum;
pub mod contender;
pub mod duel;
pub mod reader;
pub mod scenario;
pub mod server;
pub mod summary;
pub mod tally;
