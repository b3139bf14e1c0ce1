//! The log: order, durability, resuming, and what becomes of it when processes and disks fail.
use fanfare_event_stream::EventId;
use fanfare_hub::{
    entry::{Entry, Timestamp},
    log::{DiskLog, Log, LogError, ReadLimit, Retention, cursor::follow},
    position::Offset,
    topic::Topic,
    update::{Update, UpdateFields},
};
use std::{path::Path, sync::Arc};

mod child;
mod crash;
mod cursor;
mod damage;
mod engines;
mod full_disk;
mod million;
mod model;
mod reopen;
mod writer;

const KEEP_ALL: Retention = Retention { age_ms: None, bytes: None, count: None };
const NOW: Timestamp = Timestamp(1_000_000);
const UNLIMITED: ReadLimit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };

fn update(data: &str) -> Update {
    update_with_id(data, "")
}

fn update_with_id(data: &str, id: &str) -> Update {
    let topics = vec![Topic::new("orders/1").unwrap()];
    Update::new(UpdateFields { topics, data: data.into(), id: Some(id.into()), ..UpdateFields::default() }).unwrap()
}

fn append(log: &dyn Log, data: &[&str]) -> Vec<Arc<Entry>> {
    log.append(data.iter().map(|data| update(data)).collect(), NOW).unwrap()
}

fn locate(log: &dyn Log, id: &str) -> Option<u64> {
    log.locate(&EventId::new(id).unwrap()).unwrap().map(|offset| offset.0)
}

fn open(dir: &Path, retention: Retention) -> DiskLog {
    let (log, recovery) = DiskLog::open(dir, retention).unwrap();
    assert_eq!(recovery, None);
    log
}

/// Everything behind `after`, and where it is told that something is missing.
fn walk(log: &dyn Log, mut after: Offset) -> Result<(Vec<Arc<Entry>>, Vec<Offset>), LogError> {
    let (mut entries, mut holes) = (Vec::new(), Vec::new());
    loop {
        let run = follow(log, after, ReadLimit { entries: 100, bytes: 100_000 })?;
        holes.extend(run.hole);
        let last = run.entries.last().map(|entry| entry.position.offset);
        let Some(next) = last.or(run.hole) else { return Ok((entries, holes)) };
        entries.extend(run.entries);
        after = next;
    }
}

/// The data of everything that the log holds, which has no holes.
fn data(log: &dyn Log) -> Vec<String> {
    let before = Offset(log.bounds().oldest.0 - 1);
    let (entries, holes) = walk(log, before).unwrap();
    assert_eq!(holes, []);
    entries.iter().map(|entry| entry.update.data().to_owned()).collect()
}
