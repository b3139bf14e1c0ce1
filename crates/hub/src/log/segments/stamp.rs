//! A stamp: by what it is seen, without reading the log, that nothing was written to it.
use super::directory::{Directory, Kind};
use crate::{log::LogError, position::Offset};
use std::{
    io,
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

/// File systems tell two writes apart if there is so much time between them.
const RESOLUTION: Duration = Duration::from_secs(1);

/// The stamp of a log: what file systems say of its files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    directory: SystemTime,
    last: Option<(Offset, u64, u64, SystemTime)>,
}

impl Stamp {
    /// Takes the stamp of a log; `None` if it was written a moment ago, so that the next write may leave the same
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
