//! The log: order, durability, resuming, and what becomes of it when processes and disks fail.
use fanfare_event_stream::EventId;
use fanfare_hub::{
    audience_key::AudienceKey,
    entry::{Entry, Timestamp},
    grant::Matchers,
    log::{
        Found, Log, LogError, PresenceLimit, Query, ReadLimit, Retention, SegmentLog,
        cursor::{self, Resolved},
    },
    position::Offset,
    representation::Representation,
    topic::Topic,
    update::{Update, UpdateFields},
};
use std::{path::Path, sync::Arc};

mod child;
mod crash;
mod cursor_cases;
mod engines;
mod full_disk;
mod million;
mod own_ids;
mod presence;
mod promise;
mod reopen;
mod upheaval;
mod vanished;
mod writer;

const KEEP_ALL: Retention =
    Retention { age_ms: None, bytes: None, count: None, topics: Vec::new(), presence: PresenceLimit::DEFAULT };
const NOW: Timestamp = Timestamp(1_000_000);
const UNLIMITED: ReadLimit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };
/// The bytes that the record of an update has besides its texts, with one topic.
const RECORD_BYTES: usize = 62;

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

/// The oldest entry with this ID.
fn locate(log: &dyn Log, id: &str) -> Option<u64> {
    let candidates = log.locate(&EventId::new(id).unwrap(), NOW).unwrap();
    candidates.held.first().map(|found| found.offset().0)
}

/// The key of a subscriber to everything that is granted everything.
fn everybody() -> AudienceKey {
    AudienceKey::new(Matchers::any(), Matchers::any(), Representation::EventStream)
}

fn resolve(log: &dyn Log, requested: &str) -> Resolved {
    cursor::resolve(log, requested, &everybody(), NOW).unwrap()
}

fn open(dir: &Path, retention: Retention) -> SegmentLog {
    let log = SegmentLog::open(dir, retention).unwrap();
    assert_eq!(log.recovery().missing, None);
    log
}

fn discard_all(log: &dyn Log, now: Timestamp) {
    while log.discard(now).unwrap() > 0 {}
}

/// The entries of one read.
fn read(log: &dyn Log, after: Offset, limit: ReadLimit) -> Vec<Arc<Entry>> {
    let query = Query { after, until: Offset(u64::MAX), topics: None, now: NOW, limit };
    log.read(&query).unwrap().entries().cloned().collect()
}

/// Entries, and the stretches of offsets of which it is told that they are missing.
type Walked = (Vec<Arc<Entry>>, Vec<(u64, u64)>);

/// Everything behind `after`, and the stretches of which it is told that they are missing.
fn walk(log: &dyn Log, after: Offset) -> Result<Walked, LogError> {
    walk_topics(log, after, None, NOW)
}

fn walk_topics(log: &dyn Log, mut after: Offset, topics: Option<&[Topic]>, now: Timestamp) -> Result<Walked, LogError> {
    let (mut entries, mut holes): (Vec<_>, Vec<(u64, u64)>) = (Vec::new(), Vec::new());
    let limit = ReadLimit { entries: 100, bytes: 100_000 };
    loop {
        let read = log.read(&Query { after, until: Offset(u64::MAX), topics, now, limit })?;
        if read.up_to == after {
            return Ok((entries, holes));
        }
        for found in read.found {
            match found {
                Found::Entry(entry) => entries.push(entry),
                Found::Lost(first, last) => match holes.last_mut() {
                    Some((_, before)) if *before + 1 == first.0 => *before = last.0,
                    _ => holes.push((first.0, last.0)),
                },
                Found::Discarded(_) | Found::Erased(_) | Found::PresenceLost(..) => {}
            }
        }
        after = read.up_to;
    }
}

/// The data of everything that the log holds, which has no holes.
fn data(log: &dyn Log) -> Vec<String> {
    let (entries, holes) = walk(log, log.bounds().floor()).unwrap();
    assert_eq!(holes, []);
    entries.iter().map(|entry| entry.update.data().to_owned()).collect()
}
