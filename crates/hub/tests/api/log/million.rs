//! A log of 1,000,000 entries opens, finds and reads as fast as a small one.
use super::*;
use std::{
    io::{BufRead, BufReader, Write},
    time::{Duration, Instant},
};

const ENTRIES: u64 = 1_000_000;
/// The bytes of an entry besides its data.
const DATA_BYTES: usize = 100;
/// One in so many entries has an ID of its own.
const OWN_ID_EVERY: u64 = 10;

/// The process that is killed: fills the log, says so, and waits.
#[test]
fn fill_and_wait_to_be_killed() {
    let Some(dir) = child::log() else { return };
    let log = open(&dir, KEEP_ALL);
    let text = "x".repeat(DATA_BYTES);
    for first in (1..=ENTRIES).step_by(4_000) {
        let id =
            |offset: u64| if offset.is_multiple_of(OWN_ID_EVERY) { format!("own-{offset}") } else { String::new() };
        let batch = (first..first + 4_000).map(|offset| update_with_id(&text, &id(offset)));
        log.append(batch.collect(), NOW).unwrap();
    }
    std::io::stdout().write_all(b"filled\n").unwrap();
    std::thread::park();
}

#[test]
fn a_million_entries() {
    let dir = tempfile::tempdir().unwrap();
    let filling = Instant::now();
    let mut child = child::command("log::million::fill_and_wait_to_be_killed", dir.path()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("filled")));
    let filling = filling.elapsed();
    child.kill().unwrap();
    child.wait().unwrap();
    let files = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len());
    let megabytes = files.sum::<u64>() >> 20;
    println!("{ENTRIES} entries, {megabytes} MiB, filled in {filling:?}");

    let log = timed("open after a kill", Duration::from_secs(20), || open(dir.path(), KEEP_ALL));
    drop(log);
    let log = timed("open after a clean end", Duration::from_secs(2), || open(dir.path(), KEEP_ALL));
    assert_eq!(log.bounds().head, Offset(ENTRIES));

    const STEP: usize = 99_990;
    timed("locate 10 own IDs", Duration::from_secs(1), || {
        for offset in (STEP as u64..ENTRIES).step_by(STEP) {
            assert_eq!(locate(&log, &format!("own-{offset}")), Some(offset));
        }
    });
    timed("resolve and read on from 10 places", Duration::from_secs(1), || {
        for offset in (STEP as u64..ENTRIES).step_by(STEP) {
            let id = log.epochs().position(Offset(offset)).to_string();
            let after = resolve(&log, &id).after;
            let entries = read(&log, after, ReadLimit { entries: 100, bytes: 1 << 20 });
            assert_eq!(entries[0].position.offset, after.next());
        }
    });
    timed("read 100,000 entries", Duration::from_secs(20), || {
        let mut after = Offset(ENTRIES - 100_000);
        while let Some(last) = read(&log, after, ReadLimit { entries: 512, bytes: 256 << 10 }).last() {
            assert!(last.position.offset.0 - after.0 <= 512);
            after = last.position.offset;
        }
        assert_eq!(after, Offset(ENTRIES));
    });
    timed("append 100 batches of 64", Duration::from_secs(20), || {
        for _ in 0..100 {
            log.append(vec![update("x"); 64], NOW).unwrap();
        }
    });
}

/// The limits are wide: they are for a debug build on a busy machine, and tell a walk from a look-up all the same.
fn timed<T>(what: &str, limit: Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{what}: {:?}", start.elapsed());
    assert!(start.elapsed() < limit, "{what} took {:?}", start.elapsed());
    result
}
