//! The measurement of a log of many segments: the number of files that are open while all of it is read.
use super::{
    figure::{Figure, ratio},
    reading::{expect, resume, scan},
    scale::Scale,
    scratch::{Scratch, lengths},
    workload::Workload,
};
use fanfare_hub::log::{Retention, SegmentLog};
use fanfare_load::process_tree;
use std::{cell::Cell, io};

/// The number of entries in a segment. Each entry takes a little more than a quarter of a segment's bytes.
const IN_EACH: u64 = 4;
const SEGMENT_BYTES: u64 = 4 << 10;
const DATA_BYTES: usize = 1 << 10;
const TOPICS: u64 = 10;

/// Measures the greatest number of files that are open while the whole log is read.
///
/// # Errors
/// Returns an error if the log fails, or does not contain the expected entries.
pub fn measure(scratch: &Scratch, scale: &Scale) -> io::Result<Figure> {
    let directory = scratch.path("segments");
    let log = SegmentLog::open_with(&directory, Retention::default(), SEGMENT_BYTES).map_err(io::Error::other)?;
    let workload =
        Workload { entries: scale.segments * IN_EACH, batch: IN_EACH, data_bytes: DATA_BYTES, topics: TOPICS };
    workload.fill(&log)?;
    expect("segments", lengths(&directory, Some("log"))?.len() as u64, scale.segments)?;
    let most = Cell::new(0);
    let look = || most.set(most.get().max(process_tree::open_files(std::process::id()).unwrap_or(u64::MAX)));
    for topic in 0..TOPICS {
        expect("events of a topic", resume(&log, topic, look)?, workload.entries / TOPICS)?;
    }
    expect("entries", scan(&log, 0, look)?, workload.entries)?;
    let figure = format!("greatest number of open files while {} segments are read", scale.segments);
    Ok(Figure::limited(&figure, "", 64.0, ratio(most.get(), 1)))
}
