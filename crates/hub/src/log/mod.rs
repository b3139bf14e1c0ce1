//! The log: the one ordered sequence of updates, and the hub's only state.
//!
//! A [`Log`] stores and finds; it is called from threads that may block. Who calls [`Log::append`] decides the order,
//! and there is one such caller: the [`writer`]. How a subscriber's last event ID becomes a place in the log, or a gap
//! that is told, is the [`cursor`]'s.
pub(crate) mod clock;
pub mod cursor;
mod engine;
mod epochs;
pub mod erase;
mod expiry;
pub mod found;
mod memory;
#[cfg(test)]
mod model;
mod record;
mod refusals;
mod segments;
mod terms;
pub mod writer;

pub use engine::{Bounds, Log, LogError, Retention, TopicRetention};
pub use epochs::{Epochs, IDLE_EPOCHS};
pub use found::{Candidates, Found, Query, Read, ReadLimit};
pub use memory::MemoryLog;
pub use segments::{
    BackedUp, BackupError, Counts, DEAD_PATIENCE, DISCARDED_PATIENCE, Finding, Flaw, INDEX_MEMORY_BYTES, LogView,
    MAX_FINDINGS, Progress, REMEMBERED_IDS, Recovery, SEGMENT_BYTES, SegmentInfo, SegmentLog, Verified, ViewError,
};
