//! A log on disk: a sequence of segments, each a file of frames, and an index beside each that can always be made again.
//!
//! An append is one write and one sync of one file. Reading, recovery and salvage are one thing, a [`scan`] that passes
//! over what is not whole: nothing is repaired at a start, and what is missing in the sequence of offsets is told to
//! those who come across it. docs/design/log.md has the files as a picture, and what each crash leaves.
mod append;
mod blocks;
#[cfg(test)]
mod damage;
mod directory;
mod end_mark;
mod erase;
mod file;
mod frame;
mod head;
mod identity;
mod index;
mod index_file;
mod index_memory;
mod keep;
mod locate;
mod open;
mod open_files;
mod read;
mod recovery;
mod retention;
mod rewrite;
mod scan;
mod segment;
mod segment_log;
mod store;

pub use append::INDEX_MEMORY_BYTES;
pub use keep::{DEAD_PATIENCE, DISCARDED_PATIENCE};
pub use open::Recovery;
pub use retention::REMEMBERED_IDS;
pub use segment_log::{SEGMENT_BYTES, SegmentLog};
