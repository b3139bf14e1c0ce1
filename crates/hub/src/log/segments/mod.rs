//! A log on disk: a sequence of segments, each a file of frames, and an index beside each that can always be made
//! again.
//!
//! An append is one write and one sync of one file. Reading, recovery and salvage are one thing, a [`scan`] that passes
//! over what is not whole: nothing is repaired at a start, and what is missing in the sequence of offsets is told to
//! those who come across it. docs/design/log.md has the files as a picture, and what each crash leaves.
mod append;
mod backup;
#[cfg(test)]
mod backup_cases;
mod backup_error;
mod backup_place;
mod beside;
mod blocks;
mod copy;
#[cfg(test)]
mod damage;
mod describe;
mod directory;
mod end_mark;
mod erase;
mod file;
mod finding;
mod frame;
mod frames;
mod head;
mod identity;
mod index;
mod index_file;
mod index_memory;
mod keep;
#[cfg(test)]
mod keep_cases;
mod locate;
mod lock_holder;
mod look;
mod open;
mod open_files;
mod progress;
mod read;
mod recovery;
mod retention;
mod rewrite;
mod scan;
mod segment;
mod segment_log;
mod stamp;
mod store;
mod verify;
#[cfg(test)]
mod verify_cases;
mod view;
#[cfg(test)]
mod view_cases;
mod view_error;

pub use append::INDEX_MEMORY_BYTES;
pub use backup::BackedUp;
pub use backup_error::BackupError;
pub use describe::SegmentInfo;
pub use finding::{Counts, Finding, Flaw, MAX_FINDINGS, Verified};
pub use keep::{DEAD_PATIENCE, DISCARDED_PATIENCE};
pub use open::Recovery;
pub use progress::Progress;
pub use retention::REMEMBERED_IDS;
pub use segment_log::{SEGMENT_BYTES, SegmentLog};
pub use view::LogView;
pub use view_error::ViewError;
