//! Describes each segment of a log on disk.
use super::{directory::Kind, index::Amounts, segment::Segment, store::Store, view::LogView, view_error::ViewError};
use crate::{
    entry::Timestamp,
    log::LogError,
    position::{Epoch, Offset},
};
use std::{fs, io};

/// The description of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// The offset with which the segment begins, even if no record has this offset any more.
    pub first: Offset,
    /// The offset of the last record; `None` if there is no record.
    pub last: Option<Offset>,
    /// The number of records: updates, and the records that remain of erased or discarded updates. Presence updates are
    /// not counted.
    pub records: u64,
    /// The number of offsets of presence updates.
    pub presence: u64,
    /// The length of the file, including the zeros that are written in advance.
    pub file_bytes: u64,
    /// The times of the first and of the last record; `None` if there is no record.
    pub times: Option<(Timestamp, Timestamp)>,
    /// The number of times that the segment was rewritten.
    pub rewrites: u32,
    /// The number of updates that are erased and still in the file.
    pub erased: u64,
    /// True if there is an index file beside the segment.
    pub has_index: bool,
    /// True if readers get nothing of the segment, because the file with the list of erased updates is damaged.
    pub is_withheld: bool,
    /// The epochs of the records, oldest first.
    pub epochs: Vec<Epoch>,
}

impl LogView {
    /// Describes the segments, oldest first.
    ///
    /// # Errors
    /// [`ViewError`] if the log cannot be read.
    pub fn segments(&mut self) -> Result<Vec<SegmentInfo>, ViewError> {
        self.again(|store| {
            let segments = store.held().segments.clone();
            segments.iter().filter_map(|segment| describe(store, segment).transpose()).collect()
        })
    }
}

/// Describes a segment; `None` if retention has removed the segment meanwhile.
fn describe(store: &Store, segment: &Segment) -> Result<Option<SegmentInfo>, LogError> {
    let file_bytes = match fs::symlink_metadata(store.directory.file(segment.first, Kind::Log)) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let state = segment.state();
    let (summary, first) = (&state.summary, segment.first);
    let Amounts { entries: records, presence, .. } = summary.amounts(first);
    let last = (records + presence > 0).then(|| Offset(summary.end.0 - 1));
    Ok(Some(SegmentInfo {
        first,
        last,
        records,
        presence,
        file_bytes,
        times: last.map(|_| (summary.first_time, summary.last_time)),
        rewrites: segment.generation,
        erased: state.erased.len() as u64,
        has_index: store.directory.file(first, Kind::Index).symlink_metadata().is_ok(),
        is_withheld: state.is_withheld,
        epochs: last.map_or_else(Vec::new, |last| store.epochs().between(first, last)),
    }))
}
