//! The log: the one ordered sequence of updates, and the hub's only state.
//!
//! A [`Log`] stores and finds updates. It is called from threads that may block. The caller of [`Log::append`] decides
//! the order of the updates, and there is only one caller: the [`writer`]. The module [`cursor`] finds the position in
//! the log for a subscriber's last event ID, or the reason for a gap.
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
mod presence;
mod record;
mod refusals;
mod segments;
mod terms;
pub mod writer;

pub use engine::{Bounds, Log, LogError, Retention, TopicRetention};
pub use epochs::{Epochs, IDLE_EPOCHS};
pub use found::{Candidates, Found, Query, Read, ReadLimit};
pub use memory::MemoryLog;
pub use presence::{MAX_PRESENCE_BYTES, MAX_PRESENCE_UPDATES, PresenceLimit};
pub use segments::{
    BackedUp, BackupError, Counts, DEAD_PATIENCE, DISCARDED_PATIENCE, Finding, Flaw, INDEX_MEMORY_BYTES, LogView,
    MAX_FINDINGS, Progress, REMEMBERED_IDS, Recovery, SEGMENT_BYTES, SegmentInfo, SegmentLog, Verified, ViewError,
};
