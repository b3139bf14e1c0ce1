//! Tests that erased, expired and discarded entries are removed from disk in time, and not much earlier.
use super::{SegmentLog, keep::Patience};
use crate::{
    entry::Timestamp,
    log::{Log, Query, ReadLimit, Retention, TopicRetention, erase::Erase},
    position::Offset,
    topic::{Topic, matcher::Matcher},
    update::{Update, UpdateFields},
};
use fanfare_event_stream::EventId;
use std::{fs, path::Path};

const NOW: Timestamp = Timestamp(1_000_000_000);
const MINUTE_MS: u64 = 60_000;
const SECRET: &str = "a secret of somebody";

fn update(topic: &str, data: &str, id: &str, ttl_ms: Option<u64>) -> Update {
    let topics = vec![Topic::new(topic).unwrap()];
    let (data, id) = (data.into(), Some(id.into()));
    Update::new(UpdateFields { topics, data, id, ttl_ms, ..UpdateFields::default() }).unwrap()
}

/// Opens a log, and appends 20 updates and, between two of them, an update that contains the secret.
fn log(dir: &Path, retention: &Retention, ttl_ms: Option<u64>) -> SegmentLog {
    let log = SegmentLog::open(dir, retention.clone()).unwrap();
    for number in 0..20 {
        log.append(vec![update("a", &number.to_string(), &format!("own-{number}"), None)], NOW).unwrap();
        if number == 3 {
            log.append(vec![update("secret", SECRET, "urn:secret", ttl_ms)], NOW).unwrap();
        }
    }
    log
}

fn is_on_disk(dir: &Path) -> bool {
    let has = |bytes: Vec<u8>| bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
    fs::read_dir(dir).unwrap().any(|file| has(fs::read(file.unwrap().path()).unwrap_or_default()))
}

fn data(log: &SegmentLog, now: Timestamp) -> Vec<String> {
    let limit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };
    let query = Query { after: Offset::ZERO, until: Offset(u64::MAX), topics: None, now, limit };
    log.read(&query).unwrap().entries().map(|entry| entry.update.data().to_owned()).collect()
}

/// Runs the keeper once at this time.
fn keep(log: &SegmentLog, now: Timestamp) {
    log.store().hear(now);
    log.store().keep(Patience::default()).unwrap();
}

fn after(minutes: u64) -> Timestamp {
    Timestamp(NOW.0 + minutes * MINUTE_MS)
}

fn erase(log: &SegmentLog) {
    let id = EventId::new("urn:secret").unwrap();
    let erase = Erase { topic: None, id: Some(&id), before: None, may: &|_| true };
    assert_eq!(log.erase(&erase, NOW).unwrap().erased, 1);
}

#[test]
fn what_was_erased_goes_within_ten_minutes() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path(), &Retention::default(), None);
    erase(&log);
    keep(&log, after(7));
    assert!(is_on_disk(dir.path()), "only few entries are erased, so the segment is not rewritten at once");
    keep(&log, after(9));
    assert!(!is_on_disk(dir.path()));
    assert_eq!(data(&log, after(9)).len(), 20);
}

/// Erased entries are also removed if the time of their erasure is not known any more.
#[test]
fn what_was_erased_goes_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let first = log(dir.path(), &Retention::default(), None);
    erase(&first);
    drop(first);
    assert!(is_on_disk(dir.path()));
    let again = SegmentLog::open(dir.path(), Retention::default()).unwrap();
    keep(&again, NOW);
    assert!(!is_on_disk(dir.path()));
    assert_eq!(data(&again, NOW).len(), 20);
}

#[test]
fn what_has_expired_goes_within_ten_minutes() {
    let topics = vec![TopicRetention { topics: Matcher::exact("secret").unwrap(), age_ms: MINUTE_MS }];
    for (retention, ttl_ms) in
        [(Retention::default(), Some(MINUTE_MS)), (Retention { topics, ..Retention::default() }, None)]
    {
        for restarts in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let mut log = log(dir.path(), &retention, ttl_ms);
            if restarts {
                drop(log);
                log = SegmentLog::open(dir.path(), retention.clone()).unwrap();
            }
            keep(&log, after(8));
            assert!(is_on_disk(dir.path()) && data(&log, after(8)).len() == 20, "{retention:?}, restarts: {restarts}");
            keep(&log, after(10));
            assert!(
                !is_on_disk(dir.path()) && data(&log, after(10)).len() == 20,
                "{retention:?}, restarts: {restarts}"
            );
        }
    }
}

#[test]
fn what_retention_has_discarded_goes_within_an_hour() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path(), &Retention { count: Some(5), ..Retention::default() }, None);
    while log.discard(NOW).unwrap() > 0 {}
    keep(&log, NOW);
    keep(&log, after(59));
    assert!(is_on_disk(dir.path()));
    keep(&log, after(61));
    assert!(!is_on_disk(dir.path()));
    assert_eq!(data(&log, after(61)).len(), 5);
}

/// A process that was killed while it rewrote a segment leaves an unfinished copy. The copy is removed together with
/// its segment.
#[test]
fn an_unfinished_copy_goes_with_its_segment() {
    let dir = tempfile::tempdir().unwrap();
    let log = SegmentLog::open_with(dir.path(), Retention { count: Some(5), ..Retention::default() }, 1_000).unwrap();
    log.append(vec![update("secret", SECRET, "", None)], NOW).unwrap();
    fs::write(dir.path().join("0000000000000001.log-new"), SECRET).unwrap();
    for number in 0..40 {
        log.append(vec![update("a", &number.to_string(), "", None)], NOW).unwrap();
    }
    while log.discard(NOW).unwrap() > 0 {}
    assert!(!is_on_disk(dir.path()));
}

/// Many requests to erase do not make many small segments.
#[test]
fn erasing_from_the_segment_that_is_written_does_not_seal_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = log(dir.path(), &Retention::default(), None);
    for number in 0..15 {
        let id = EventId::new(format!("own-{number}")).unwrap();
        let erase = Erase { topic: None, id: Some(&id), before: None, may: &|_| true };
        assert_eq!(log.erase(&erase, NOW).unwrap().erased, 1);
        keep(&log, NOW);
        log.append(vec![update("a", "more", "", None)], NOW).unwrap();
    }
    let logs = fs::read_dir(dir.path())
        .unwrap()
        .filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|name| name == "log"));
    assert_eq!(logs.count(), 1);
}

#[test]
fn a_log_whose_last_segment_was_sealed_still_ends_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    let first = log(dir.path(), &Retention::default(), None);
    erase(&first);
    keep(&first, after(9));
    drop(first);
    let again = SegmentLog::open(dir.path(), Retention::default()).unwrap();
    assert!(again.recovery().was_clean);
}

/// The file of a discarded segment may be there again, after a power failure or in a copy of the log. Its updates do not
/// count, so no others go for their sake.
#[test]
fn a_discarded_segment_that_comes_back_does_not_count() {
    for is_rewritten in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let retention = Retention { count: Some(20), ..Retention::default() };
        let open = || SegmentLog::open_with(dir.path(), retention.clone(), 2_000).unwrap();
        let append =
            |log: &SegmentLog, number: u64| log.append(vec![update("a", "x", &number.to_string(), None)], NOW).unwrap();
        let segments = || {
            let paths = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path());
            let mut segments: Vec<_> = paths.filter(|path| path.extension().is_some_and(|end| end == "log")).collect();
            segments.sort_unstable();
            segments
        };
        let log = open();
        (0..20).for_each(|number| _ = append(&log, number));
        assert!(segments().len() > 1, "the first one is sealed");
        let path = segments().remove(0);
        let first = fs::read(&path).unwrap();
        let begins_within = || {
            let begin = u64::from_str_radix(segments()[0].file_stem().unwrap().to_str().unwrap(), 16).unwrap();
            !path.exists() && log.bounds().oldest.0 > begin + 3
        };
        (20..200).take_while(|_| !begins_within()).for_each(|number| _ = append(&log, number));
        assert!(begins_within());
        drop(log);
        fs::write(&path, first).unwrap();
        let log = open();
        assert_eq!(log.bounds().held, 20);
        if is_rewritten {
            log.remove_dead().unwrap();
        }
        for number in 200..300 {
            append(&log, number);
            assert_eq!((data(&log, NOW).len(), log.bounds().held), (20, 20), "{number}, {is_rewritten}");
        }
    }
}
