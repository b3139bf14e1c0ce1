//! A stamp: metadata of a log's files that changes with each write to the log. It shows, without reading the log,
//! whether anything was written.
use super::directory::{Directory, Kind};
use crate::{log::LogError, position::Offset};
use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

/// The coarsest resolution that a file system has for the times of files: two writes that are further apart than this
/// have different times in every file system.
const RESOLUTION: Duration = Duration::from_secs(1);

/// The stamp of a log: the metadata of its directory and of its last segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    directory: SystemTime,
    last: Option<(Offset, u64, u64, SystemTime)>,
}

impl Stamp {
    /// Returns the stamp of a log; `None` if the last write was so recent that the next write might leave the same
    /// stamp.
    pub(super) fn of(path: &Path) -> Result<Option<Self>, LogError> {
        let directory = Directory::look_into(path)?;
        let last = match directory.segments(Kind::Log)?.last() {
            Some((first, _)) => match directory.file(*first, Kind::Log).symlink_metadata() {
                Ok(metadata) => Some((*first, metadata.ino(), metadata.len(), metadata.modified()?)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let stamp = Self { directory: directory.metadata()?.modified()?, last };
        let newest = stamp.last.map_or(stamp.directory, |(.., modified)| modified.max(stamp.directory));
        let is_settled = newest.elapsed().is_ok_and(|age| age > RESOLUTION);
        Ok(is_settled.then_some(stamp))
    }
}
