//! The progress of an operation that takes long.
use super::directory::{Directory, Kind};
use std::io;

/// The progress of a backup or a check, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The number of bytes that were copied or checked so far.
    pub done: u64,
    /// The number of bytes that are to be copied or checked in all.
    pub total: u64,
}

/// Returns the number of bytes of all segments and of the files beside them.
pub(super) fn total(directory: &Directory) -> io::Result<u64> {
    let kinds = [Kind::Log, Kind::Index, Kind::Ids, Kind::Erased];
    let length = |path: std::path::PathBuf| path.symlink_metadata().map_or(0, |metadata| metadata.len());
    let firsts = directory.segments(Kind::Log)?;
    Ok(firsts.iter().flat_map(|(first, _)| kinds.map(|kind| length(directory.file(*first, kind)))).sum())
}
