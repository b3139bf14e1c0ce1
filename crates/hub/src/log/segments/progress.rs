//! The progress of something that takes long.
use super::directory::{Directory, Kind};
use std::io;

/// The progress so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The bytes that are done.
    pub done: u64,
    /// All bytes.
    pub total: u64,
}

/// The bytes of all segments and of what is beside them.
pub(super) fn total(directory: &Directory) -> io::Result<u64> {
    let kinds = [Kind::Log, Kind::Index, Kind::Ids, Kind::Erased];
    let length = |path: std::path::PathBuf| path.symlink_metadata().map_or(0, |metadata| metadata.len());
    let firsts = directory.segments(Kind::Log)?;
    Ok(firsts.iter().flat_map(|(first, _)| kinds.map(|kind| length(directory.file(*first, kind)))).sum())
}
