//! The number of bytes that the log writes for each byte of data, with the zeros that it writes in advance and with its
//! indexes.
//!
//! The bytes are added up from the output of `strace`, which shows each call that writes and the name of the file. The
//! system's own counters are not used, because they count whole blocks, or all bytes that a process writes to any file.
use super::{
    figure::{Figure, ratio},
    scale::Scale,
    scratch::Scratch,
    worker::{Task, Worker},
    workload::Workload,
};
use std::{
    collections::HashMap,
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

const CALLS: &str = "trace=write,pwrite64,writev,pwritev,pwritev2";
/// The bytes of data in an update that is appended in a batch, and in one that is appended alone.
const BATCHED_BYTES: usize = 1 << 10;
pub(super) const ALONE_BYTES: usize = 200;
const BATCH: u64 = 64;

/// Measures the written bytes, or returns figures that are left out if they cannot be measured.
///
/// # Errors
/// If the log fails, or the output of `strace` is not understood.
pub fn measure(scratch: &Scratch, scale: &Scale) -> io::Result<Vec<Figure>> {
    let (topics, batched) = (scale.topics, "bytes written for a byte of data: entries of 1 KiB, 64 in a batch");
    let alone = "bytes written for an update of 200 bytes that is appended alone";
    let (unit, of_alone) = ("", "bytes");
    if !is_there() {
        println!("strace cannot be run here: the written bytes are not counted");
        return Ok(vec![Figure::left_out(batched, unit, 1.3), Figure::left_out(alone, of_alone, 8_192.0)]);
    }
    let workload = Workload { entries: scale.written, batch: BATCH, data_bytes: BATCHED_BYTES, topics };
    let written = written(scratch, "written", workload)?;
    let batched = Figure::limited(batched, unit, 1.3, ratio(written, workload.entries * BATCHED_BYTES as u64));
    let workload = Workload { entries: scale.alone, batch: 1, data_bytes: ALONE_BYTES, topics };
    let written = self::written(scratch, "written-alone", workload)?;
    Ok(vec![batched, Figure::limited(alone, of_alone, 8_192.0, ratio(written, workload.entries))])
}

/// Returns true if there is an `strace` that is allowed to trace.
fn is_there() -> bool {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-o", "/dev/null", "-e", CALLS, "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    strace.status().is_ok_and(|status| status.success())
}

/// Returns the number of bytes that a worker writes into the directory of its log, from before the first entry until
/// after a clean end.
fn written(scratch: &Scratch, name: &str, workload: Workload) -> io::Result<u64> {
    let (directory, trace) = (scratch.path(name), scratch.path("trace"));
    let under = ["strace", "-f", "-y", "-s", "0", "-e", "signal=none", "-e", CALLS, "-o"];
    let mut under: Vec<_> = under.into_iter().map(Into::into).collect();
    under.push(trace.clone().into());
    Worker::start(&Task::Fill { directory: directory.clone(), workload }, &under)?.end()?;
    let bytes = sum(&fs::read_to_string(&trace)?, &directory)?;
    fs::remove_dir_all(directory)?;
    Ok(bytes)
}

/// Adds up the bytes that were written to the files of a directory, according to the output of `strace`.
fn sum(trace: &str, directory: &Path) -> io::Result<u64> {
    let opened = format!("<{}/", directory.display());
    let strange = |line: &str| io::Error::other(format!("cannot understand this line of strace: {line:?}"));
    // The calls of which the output has shown only the beginning, by thread: it may show calls of other threads before
    // the end of a call. The value is true if the call writes to a file of the directory.
    let mut unfinished = HashMap::new();
    let mut bytes = 0;
    for line in trace.lines() {
        let (thread, call) = line.split_once(' ').ok_or_else(|| strange(line))?;
        let call = call.trim_start();
        if call.starts_with("+++") || call.starts_with("---") {
            continue;
        }
        let is_ours = match call.starts_with("<...") {
            true => unfinished.remove(thread).ok_or_else(|| strange(line))?,
            false => call.split(',').next().is_some_and(|file| file.contains(&opened)),
        };
        if call.ends_with("<unfinished ...>") {
            unfinished.insert(thread, is_ours);
        } else if is_ours {
            let (_, returned) = call.rsplit_once("= ").ok_or_else(|| strange(line))?;
            bytes += returned.trim().parse::<u64>().map_err(|_| strange(line))?;
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_on_files_of_the_log_count() {
        let trace = "\
7 pwrite64(5</d/log/1.log>, \"\"..., 262144, 0) = 262144
8 write(1<pipe:[9]>, \"\"..., 5 <unfinished ...>
7 write(6</d/log/1.index-new>, \"\"..., 100 <unfinished ...>
8 <... write resumed>)              = 5
7 <... write resumed>)              = 99
7 write(3</d/logs/other>, \"\"..., 7)  = 7
7 +++ exited with 0 +++
";
        assert_eq!(sum(trace, Path::new("/d/log")).unwrap(), 262_144 + 99);
        let failed = "7 write(6</d/log/1.log>, \"\"..., 100) = -1 ENOSPC (No space left on device)\n";
        assert!(sum(failed, Path::new("/d/log")).is_err());
    }
}
