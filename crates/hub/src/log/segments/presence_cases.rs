//! Tests that presence updates take little room on disk, and that nothing is lost when their records are joined.
use super::{LogView, SegmentLog, segment::Seeds};
use crate::{
    entry::Timestamp,
    log::{
        Found, Log, PresenceLimit, Query, ReadLimit, Retention,
        erase::Erase,
        record::{self, Record},
    },
    position::Offset,
    topic::{PRESENCE_TOPICS, Topic},
    update::{Update, UpdateFields},
};
use std::{fs, path::Path, sync::Arc, thread};

const NOW: Timestamp = Timestamp(1_000_000_000);
const UNLIMITED: ReadLimit = ReadLimit { entries: usize::MAX, bytes: usize::MAX };

fn update() -> Update {
    let topics = vec![Topic::new("a").unwrap()];
    Update::new(UpdateFields { topics, data: "x".into(), ..UpdateFields::default() }).unwrap()
}

/// The keeper makes one record of each run of presence updates, however many batches of them come, and the segment
/// stays the active one. Readers and the verification get the right updates all the time.
#[test]
fn many_presence_updates_take_no_room() {
    let dir = tempfile::tempdir().unwrap();
    let retention = Retention { presence: PresenceLimit { bytes: 1 << 20, updates: 50 }, ..Retention::default() };
    let log = SegmentLog::open(dir.path(), retention.clone()).unwrap();
    let topic = Topic::new(&format!("{PRESENCE_TOPICS}a")).unwrap();
    let arrivals = |count: usize| {
        log.append(vec![Update::of_hub(topic.clone(), "{}".into(), None); count], NOW).unwrap();
    };
    let published = || {
        let query = Query { after: Offset::ZERO, until: Offset(u64::MAX), topics: None, now: NOW, limit: UNLIMITED };
        let read = log.read(&query).unwrap();
        assert!(!read.found.iter().any(|found| matches!(found, Found::Lost(..))), "{:?}", read.found);
        read.entries().filter(|entry| !entry.update.is_of_presence()).count()
    };
    for round in 1..=5_u64 {
        log.append(vec![update()], NOW).unwrap();
        let before = log.end_of_frames();
        (0..200).for_each(|_| arrivals(3));
        assert!(log.end_of_frames() > before + 200 * record::PRESENCE_BYTES as u64);
        log.keep_now();
        assert!(log.end_of_frames() <= before + record::PRESENCE_BYTES as u64);
        assert_eq!(published(), usize::try_from(round).unwrap());
        let segments = LogView::open(dir.path()).unwrap().segments().unwrap();
        assert_eq!((segments.len(), segments[0].records, segments[0].presence), (1, round, 600 * round));
        let verified = LogView::verify(dir.path(), &mut |_| {}).unwrap();
        assert!(verified.is_sound(), "{verified:?}");
    }
    drop(log);
    let verified = LogView::verify(dir.path(), &mut |_| {}).unwrap();
    assert!(verified.is_sound(), "{verified:?}");
    let log = SegmentLog::open(dir.path(), retention).unwrap();
    assert_eq!((log.bounds().held, log.bounds().presence), (5, 3_000));
}

/// Damages the first record of a run of presence updates in the directory of a log.
fn damage_a_run(log: &SegmentLog, dir: &Path) {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort_unstable();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "log")) {
        let first = u64::from_str_radix(path.file_stem().unwrap().to_str().unwrap(), 16).unwrap();
        let (seeds, mut bytes) = (Seeds::of(&log.store().log, Offset(first)), fs::read(path).unwrap());
        let is_run =
            |at: &usize| Record::read(&bytes[*at..], seeds.segment).is_some_and(|record| record.is_of_presence());
        if let Some(at) = (0..bytes.len()).find(is_run) {
            bytes[at + 20] ^= 1;
            // This writes into the same file, which the log has open.
            fs::write(path, bytes).unwrap();
            return;
        }
    }
    panic!("there is no run");
}

/// If the record of a run of presence updates is damaged, nobody knows any more that they were of presence. They are
/// told to be lost, and neither does an update of a publisher go for their sake, nor is one kept.
#[test]
fn a_damaged_run_takes_no_place_of_others() {
    for is_damaged_while_open in [false, true] {
        let (dir, topic) = (tempfile::tempdir().unwrap(), Topic::new(&format!("{PRESENCE_TOPICS}a")).unwrap());
        let retention = Retention { count: Some(20), ..Retention::default() };
        let open = || SegmentLog::open_with(dir.path(), retention.clone(), 1_000).unwrap();
        let published = |log: &SegmentLog| {
            let query =
                Query { after: Offset::ZERO, until: Offset(u64::MAX), topics: None, now: NOW, limit: UNLIMITED };
            let read = log.read(&query).unwrap();
            read.entries().filter(|entry| !entry.update.is_of_presence()).count() as u64
        };
        let mut log = open();
        (0..4).for_each(|_| _ = log.append(vec![update()], NOW).unwrap());
        log.append(vec![Update::of_hub(topic, "{}".into(), None); 500], NOW).unwrap();
        (0..4).for_each(|_| _ = log.append(vec![update()], NOW).unwrap());
        damage_a_run(&log, dir.path());
        if !is_damaged_while_open {
            drop(log);
            for file in fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()) {
                // Without an index, the log finds what is there.
                if file.extension().is_some_and(|extension| extension == "index") {
                    fs::remove_file(file).unwrap();
                }
            }
            log = open();
            assert_eq!(log.bounds().presence, 0);
        }
        for count in 9..60 {
            log.append(vec![update()], NOW).unwrap();
            while log.discard(NOW).unwrap() > 0 {}
            assert_eq!((published(&log), log.bounds().held), (count.min(20), count.min(20)), "{is_damaged_while_open}");
        }
        assert_eq!(log.bounds().presence, 0);
        drop(log);
        let log = open();
        assert_eq!((published(&log), log.bounds().held), (20, 20));
    }
}

/// Publications go on while the active segment is written again. Each is there afterwards, once.
#[test]
fn appends_go_on_while_presence_updates_are_joined() {
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(SegmentLog::open_with(dir.path(), Retention::default(), 20_000).unwrap());
    let topic = Topic::new(&format!("{PRESENCE_TOPICS}a")).unwrap();
    let keeper = thread::spawn({
        let log = log.clone();
        move || (0..60).for_each(|_| log.keep_now())
    });
    let mut published = 0;
    while !keeper.is_finished() || published < 20 {
        log.append(vec![Update::of_hub(topic.clone(), "{}".into(), None)], NOW).unwrap();
        if log.bounds().head.0.is_multiple_of(5) {
            log.append(vec![update()], NOW).unwrap();
            published += 1;
        }
    }
    keeper.join().unwrap();
    let head = log.bounds().head;
    drop(log);
    assert!(LogView::verify(dir.path(), &mut |_| {}).unwrap().is_sound());
    let log = SegmentLog::open(dir.path(), Retention::default()).unwrap();
    let (mut after, mut found) = (Offset::ZERO, 0);
    loop {
        let read = log.read(&Query { after, until: head, topics: None, now: NOW, limit: UNLIMITED }).unwrap();
        assert!(!read.found.iter().any(|found| matches!(found, Found::Lost(..))), "{:?}", read.found);
        found += read.entries().filter(|entry| !entry.update.is_of_presence()).count();
        if read.up_to == after {
            break;
        }
        after = read.up_to;
    }
    assert_eq!((log.bounds().head, found), (head, published));
}

/// An update that was erased from the active segment stays erased when the segment is written again, and is gone from
/// disk.
#[test]
fn what_was_erased_goes_when_presence_updates_are_joined() {
    let dir = tempfile::tempdir().unwrap();
    let log = SegmentLog::open(dir.path(), Retention::default()).unwrap();
    let (presence, topic) = (Topic::new(&format!("{PRESENCE_TOPICS}a")).unwrap(), Topic::new("a").unwrap());
    log.append(vec![update()], NOW).unwrap();
    let erase = Erase { topic: Some(&topic), id: None, before: None, may: &|_| true };
    assert_eq!(log.erase(&erase, NOW).unwrap().erased, 1);
    for _ in 0..3 {
        log.append(vec![Update::of_hub(presence.clone(), "{}".into(), None)], NOW).unwrap();
    }
    log.append(vec![update()], NOW).unwrap();
    let erased = dir.path().join("0000000000000001.erased");
    assert!(erased.is_file());
    log.compact_now();
    assert!(!erased.exists());
    log.append(vec![update()], NOW).unwrap();
    let offsets = |log: &SegmentLog| {
        let query = Query { after: Offset::ZERO, until: Offset(u64::MAX), topics: None, now: NOW, limit: UNLIMITED };
        log.read(&query).unwrap().entries().map(|entry| entry.position.offset.0).collect::<Vec<_>>()
    };
    assert_eq!(offsets(&log), [2, 3, 4, 5, 6]);
    drop(log);
    assert!(LogView::verify(dir.path(), &mut |_| {}).unwrap().is_sound());
    assert_eq!(offsets(&SegmentLog::open(dir.path(), Retention::default()).unwrap()), [2, 3, 4, 5, 6]);
}

/// Damage to any byte leaves each offset in one of three states: it is an update, is known to be of presence, or is
/// told to be lost.
#[test]
fn damage_to_what_is_noted_of_presence_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let log = SegmentLog::open(dir.path(), Retention::default()).unwrap();
    let presence = Topic::new(&format!("{PRESENCE_TOPICS}a")).unwrap();
    let arrivals = || vec![Update::of_hub(presence.clone(), "{}".into(), None); 3];
    log.append(vec![update()], NOW).unwrap();
    log.append([arrivals(), vec![update()], arrivals()].concat(), NOW).unwrap();
    log.append(arrivals(), NOW).unwrap();
    log.append(vec![update()], NOW).unwrap();
    drop(log);
    let files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()).collect();
    let segment = fs::read(dir.path().join("0000000000000001.log")).unwrap();
    for place in 0..segment.len() {
        let copy = tempfile::tempdir().unwrap();
        for file in files.iter().filter(|file| file.file_name().unwrap() != "presence") {
            fs::copy(file, copy.path().join(file.file_name().unwrap())).unwrap();
        }
        let mut damaged = segment.clone();
        damaged[place] ^= 1;
        fs::write(copy.path().join("0000000000000001.log"), damaged).unwrap();
        let log = SegmentLog::open(copy.path(), Retention::default()).unwrap();
        let mut next = 1;
        let (mut after, limit) = (Offset::ZERO, ReadLimit { entries: 2, bytes: 200 });
        loop {
            let read = log.read(&Query { after, until: Offset(u64::MAX), topics: None, now: NOW, limit }).unwrap();
            for found in &read.found {
                let first = match found {
                    Found::Lost(first, _) | Found::PresenceLost(first, _) => *first,
                    other => other.offset(),
                };
                assert_eq!(first.0, next, "byte {place}: {found:?}");
                next = found.offset().0 + 1;
            }
            if read.up_to == after {
                break;
            }
            after = read.up_to;
        }
        assert_eq!((next, log.bounds().head), (13, Offset(12)), "byte {place}");
    }
}
