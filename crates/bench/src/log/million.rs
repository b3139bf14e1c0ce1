//! The measurement of a large log: the times to fill it, to open it after a kill and after a clean end, to find entries
//! and to read, and its memory.
use super::{
    figure::{Figure, median, mib, ms, ratio},
    reading::{expect, locate, resume, scan},
    scale::Scale,
    scratch::{Scratch, lengths},
    worker::{Task, Worker, memory_of_resuming},
    workload::{NOW, Workload},
};
use fanfare_hub::log::{Log, SegmentLog};
use std::{io, path::Path, time::Instant};

const DATA_BYTES: usize = 100;
const BATCH: u64 = 64;
/// The largest memory that the log may take, however large the log is, in MiB.
const MEMORY_MIB: f64 = 64.0;
/// The number of topics that are resumed before the memory is measured.
const RESUMED: u64 = 100;
/// The number of updates that are located in one measurement, by the IDs that their publishers chose.
const LOCATED: u64 = 10;
/// The divisor for the part of the log that is read in full: with 10, a tenth of all entries is read.
const SCANNED: u64 = 10;

/// Measures all figures.
///
/// # Errors
/// Returns an error if the log fails, or does not contain the expected entries.
pub fn measure(scratch: &Scratch, scale: &Scale) -> io::Result<Vec<Figure>> {
    let directory = scratch.path("million");
    let workload = Workload { entries: scale.entries, batch: BATCH, data_bytes: DATA_BYTES, topics: scale.topics };
    let empty = memory_of_resuming(&scratch.path("empty"), RESUMED)?;
    // Subtracts the memory of a process with an empty log. The result may be slightly negative: allocators and shared
    // pages are never exactly the same.
    let above = |memory: u64| mib(memory) - mib(empty);

    let begun = Instant::now();
    let filler = Worker::start(&Task::Fill { directory: directory.clone(), workload }, &[])?;
    let filled = begun.elapsed().as_secs_f64();
    let of_filling = above(filler.memory()?);
    filler.kill();
    let rate = ratio(scale.entries, 1) / filled;
    let segments = lengths(&directory, Some("log"))?;
    let on_disk = mib(lengths(&directory, None)?.iter().sum());
    let last = mib(segments.last().copied().unwrap_or(0));

    let after_kill = opening(&directory, scale, scale.entries, false)?;
    // The log is opened, appends one more entry and is closed. A log that has appended something ends with a mark when
    // it is closed.
    Workload::open(&directory)?.append(vec![workload.update(scale.entries + 1)], NOW).map_err(io::Error::other)?;
    let after_end = opening(&directory, scale, scale.entries + 1, true)?;
    let of_clean = above(memory_of_resuming(&directory, RESUMED)?);
    let found = finding(&Workload::open(&directory)?, scale)?;

    // A log that is opened again appends to a new segment. This segment gets as many entries as the other segments have
    // on average, so it is nearly full when the worker is killed.
    let segments = segments.len() as u64;
    let workload = Workload { entries: scale.entries / segments, ..workload };
    Worker::start(&Task::Fill { directory: directory.clone(), workload }, &[])?.kill();
    let after_full = opening(&directory, scale, scale.entries + 1 + workload.entries, false)?;
    let of_full = above(memory_of_resuming(&directory, RESUMED)?);
    let full = mib(lengths(&directory, Some("log"))?.last().copied().unwrap_or(0));

    let mut figures = vec![
        Figure::told("entries appended in a second, in batches of 64", "/s", rate),
        Figure::told("size on disk", "MiB", on_disk),
        Figure::told("segments", "", ratio(segments, 1)),
        Figure::told("last segment, with zeros at its end", "MiB", last),
        Figure::limited("open after a kill", "ms", 500.0, after_kill),
        Figure::limited(&format!("open after a kill with a last segment of {full:.1} MiB"), "ms", 500.0, after_full),
        Figure::limited("open after a clean end", "ms", 100.0, after_end),
    ];
    figures.extend(found);
    figures.extend([
        Figure::limited("memory of the process that filled the log", "MiB", MEMORY_MIB, of_filling),
        Figure::limited("memory of a process that opened after a kill and resumed", "MiB", MEMORY_MIB, of_full),
        Figure::limited("memory of a process that opened after a clean end and resumed", "MiB", MEMORY_MIB, of_clean),
    ]);
    Ok(figures)
}

/// Returns the time to open the log, in milliseconds: the median of all rounds. A log that is opened and closed without
/// an append does not change, so each round opens the same log.
fn opening(directory: &Path, scale: &Scale, entries: u64, is_clean: bool) -> io::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..scale.rounds {
        let begun = Instant::now();
        let log = Workload::open(directory)?;
        times.push(ms(begun.elapsed()));
        expect("newest offset of the log", log.bounds().head.0, entries)?;
        expect("clean ends", log.recovery().was_clean.into(), is_clean.into())?;
    }
    Ok(median(times))
}

/// Measures the times to read all events of a topic, to find updates by their own IDs, and to read a part of the log in
/// full.
fn finding(log: &SegmentLog, scale: &Scale) -> io::Result<Vec<Figure>> {
    let rounds = scale.rounds as u64;
    let of_topic = scale.entries / scale.topics;
    let (mut resumed, mut located, mut scanned) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        // Each round uses other entries, which have not been read before.
        let topic = 1 + round * (scale.topics - 2) / rounds;
        resumed.push(timed(|| expect("events of a topic", resume(log, topic, || {})?, of_topic))?);
        let step = (scale.entries - rounds) / LOCATED;
        located.push(timed(|| (0..LOCATED).try_for_each(|number| locate(log, round + number * step)))?);
        let part = scale.entries / SCANNED;
        scanned.push(timed(|| expect("entries", scan(log, scale.entries + 1 - part, || {})?, part))?);
    }
    Ok(vec![
        Figure::limited(
            &format!("resume one topic of {}: {of_topic} events", scale.topics),
            "ms",
            10.0,
            median(resumed),
        ),
        Figure::limited(&format!("find {LOCATED} updates by IDs that publishers chose"), "ms", 2.0, median(located)),
        Figure::told(
            &format!("read {} entries in full, as for a pattern", scale.entries / SCANNED),
            "ms",
            median(scanned),
        ),
    ])
}

fn timed(work: impl FnOnce() -> io::Result<()>) -> io::Result<f64> {
    let begun = Instant::now();
    work()?;
    Ok(ms(begun.elapsed()))
}
