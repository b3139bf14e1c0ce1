//! The measurement of appends of one small update at a time, compared with the smallest work that makes the same bytes
//! durable: one write and one sync.
use super::{
    figure::{Figure, median, ratio},
    scale::Scale,
    scratch::{Scratch, lengths},
    workload::{NOW, Workload},
    written::ALONE_BYTES,
};
use fanfare_hub::log::Log;
use fanfare_load::process_tree::own_run_time;
use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::Path,
    time::{Duration, Instant},
};

/// The zeros that the baseline writes in advance. The log, too, writes this many zeros in advance at a time.
const ZEROS: &[u8] = &[0; 256 << 10];
const TOPICS: u64 = 100;

/// The cost of one append: the mean of all appends of a round.
struct Cost {
    wall_us: f64,
    cpu_us: f64,
}

/// Measures appends to the log and the smallest work (one write and one sync), in turns.
///
/// # Errors
/// [`io::Error`] if the log or the file system fails.
pub fn measure(scratch: &Scratch, scale: &Scale) -> io::Result<Vec<Figure>> {
    let workload = Workload { entries: scale.timed, batch: 1, data_bytes: ALONE_BYTES, topics: TOPICS };
    let (mut ours, mut bare, mut wall, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..scale.rounds {
        let directory = scratch.path("alone");
        let appended = append(&directory, &workload)?;
        let bytes: u64 = lengths(&directory, Some("log"))?.iter().sum();
        fs::remove_dir_all(directory)?;
        let frame = vec![b'x'; usize::try_from(bytes / scale.timed).map_err(io::Error::other)?];
        let written = write(&scratch.path("bare"), &frame, scale.timed)?;
        wall.push(appended.wall_us / written.wall_us);
        cpu.push(appended.cpu_us / written.cpu_us);
        ours.push(appended);
        bare.push(written);
    }
    let of = |costs: &[Cost], cost: fn(&Cost) -> f64| median(costs.iter().map(cost).collect());
    Ok(vec![
        Figure::told("append one update of 200 bytes", "µs", of(&ours, |cost| cost.wall_us)),
        Figure::told("append one update of 200 bytes: CPU", "µs", of(&ours, |cost| cost.cpu_us)),
        Figure::told("write and fdatasync as many bytes", "µs", of(&bare, |cost| cost.wall_us)),
        Figure::told("write and fdatasync as many bytes: CPU", "µs", of(&bare, |cost| cost.cpu_us)),
        Figure::told("append, divided by write and fdatasync", "", median(wall)),
        Figure::told("append, divided by write and fdatasync: CPU", "", median(cpu)),
    ])
}

fn append(directory: &Path, workload: &Workload) -> io::Result<Cost> {
    let log = Workload::open(directory)?;
    let updates: Vec<_> = (1..=workload.entries).map(|number| workload.update(number)).collect();
    timed(workload.entries, || {
        updates.into_iter().try_for_each(|update| log.append(vec![update], NOW).map(drop).map_err(io::Error::other))
    })
}

fn write(path: &Path, frame: &[u8], count: u64) -> io::Result<Cost> {
    let file = File::create(path)?;
    let (mut end, mut filled) = (0, 0);
    let cost = timed(count, || {
        for _ in 0..count {
            if end + frame.len() as u64 > filled {
                file.write_all_at(ZEROS, filled)?;
                filled += ZEROS.len() as u64;
            }
            file.write_all_at(frame, end)?;
            file.sync_data()?;
            end += frame.len() as u64;
        }
        Ok(())
    })?;
    fs::remove_file(path)?;
    Ok(cost)
}

fn timed(count: u64, work: impl FnOnce() -> io::Result<()>) -> io::Result<Cost> {
    let (begun, before) = (Instant::now(), own_run_time()?);
    work()?;
    let (wall, cpu) = (begun.elapsed(), own_run_time()?.saturating_sub(before));
    let each = |time: Duration| ratio(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), count) / 1e3;
    Ok(Cost { wall_us: each(wall), cpu_us: each(cpu) })
}
