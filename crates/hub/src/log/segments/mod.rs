//! A log on disk: a sequence of segments. Each segment is a file of frames with an index in a file beside it. The index
//! can always be made again from the frames.
//!
//! An append is one write and one sync of one file. Reading, recovery and verification all use a [`scan`], which skips
//! everything except complete heads of frames and complete records. Opening a log repairs nothing; a reader that
//! reaches missing offsets is told of a gap. docs/design/log.md has a picture of the files, and says what each kind of
//! crash leaves.
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
#[cfg(test)]
mod presence_cases;
mod presence_file;
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
