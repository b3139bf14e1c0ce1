//! Tests of a view, which only reads a log, while a [`SegmentLog`] writes to the same log.
use super::{LogView, SegmentLog, ViewError};
use crate::{
    entry::{Entry, Timestamp},
    log::{Found, Log, Query, ReadLimit, Retention, erase::Erase},
    position::Offset,
    topic::Topic,
    update::{Update, UpdateFields},
};
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

pub(super) const NOW: Timestamp = Timestamp(1_000_000);
/// The size of a segment. It is small, so that there are many segments.
pub(super) const SEGMENT: u64 = 3_000;

pub(super) fn update(number: u64) -> Update {
    let data = format!("{number}:{}", "x".repeat(usize::try_from(number * 37 % 400).unwrap()));
    let topics = vec![Topic::new(["a", "b", "c"][usize::try_from(number % 3).unwrap()]).unwrap()];
    let id = number.is_multiple_of(4).then(|| format!("own-{number}"));
    Update::new(UpdateFields { topics, data, id, ..UpdateFields::default() }).unwrap()
}

pub(super) fn open(dir: &Path) -> SegmentLog {
    SegmentLog::open_with(dir, Retention::default(), SEGMENT).unwrap()
}

/// Appends the updates with these numbers, one by one.
pub(super) fn append(log: &SegmentLog, numbers: std::ops::Range<u64>) -> Vec<Arc<Entry>> {
    numbers.flat_map(|number| log.append(vec![update(number)], Timestamp(NOW.0 + number)).unwrap()).collect()
}

pub(super) fn erase_id(log: &SegmentLog, id: &str) {
    let id = fanfare_event_stream::EventId::new(id).unwrap();
    let erase = Erase { topic: None, id: Some(&id), before: None, may: &|_| true };
    assert_eq!(log.erase(&erase, NOW).unwrap().erased, 1);
}

/// Returns all entries, and the ranges of lost offsets.
pub(super) fn walk(view: &mut LogView) -> (Vec<Arc<Entry>>, Vec<(u64, u64)>) {
    let (mut entries, mut lost) = (Vec::new(), Vec::new());
    let mut after = view.bounds().floor();
    loop {
        let limit = ReadLimit { entries: 50, bytes: 1 << 20 };
        let query = Query { after, until: Offset(u64::MAX), topics: None, now: NOW, limit };
        let read = view.read(&query).unwrap();
        if read.up_to == after {
            return (entries, lost);
        }
        after = read.up_to;
        for found in read.found {
            match found {
                Found::Entry(entry) => entries.push(entry),
                Found::Lost(first, last) => lost.push((first.0, last.0)),
                Found::Discarded(_) | Found::Erased(_) | Found::PresenceLost(..) => {}
            }
        }
    }
}

pub(super) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

#[test]
fn a_view_follows_what_is_written_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let mut expected = append(&log, 0..40);
    let mut view = LogView::open(dir.path()).unwrap();
    assert_eq!(view.bounds(), log.bounds());
    assert_eq!(walk(&mut view), (expected.clone(), vec![]));
    expected.extend(append(&log, 40..90));
    erase_id(&log, "own-8");
    assert!(view.refresh().unwrap());
    expected.retain(|entry| entry.id().as_str() != "own-8");
    assert_eq!(walk(&mut view), (expected.clone(), vec![]));
    assert_eq!(view.place_at(Timestamp(NOW.0 + 41)).unwrap(), Offset(41));
    assert_eq!(view.epochs().to_vec(), log.epochs().to_vec());
    // A segment is rewritten while the view has its files open.
    log.remove_dead().unwrap();
    assert_eq!(walk(&mut view), (expected, vec![]));
    view.refresh().unwrap();
    let segments = view.segments().unwrap();
    assert_eq!(segments.iter().map(|segment| segment.records).sum::<u64>(), 90);
    assert_eq!(segments.iter().map(|segment| segment.rewrites).sum::<u32>(), 1);
    assert!(segments[..segments.len() - 1].iter().all(|segment| segment.has_index && segment.erased == 0));
    assert_eq!((segments[0].first, segments.last().unwrap().last), (Offset(1), Some(Offset(90))));
}

#[test]
fn a_time_is_found_although_a_segment_is_lost() {
    for damaged in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let entries = append(&open(dir.path()), 0..90);
        let names: Vec<_> = files(dir.path()).into_keys().collect();
        let segments: Vec<_> = names.iter().filter(|name| name.ends_with(".log")).collect();
        assert!(segments.len() > 3, "{names:?}");
        for name in [segments[damaged], &segments[damaged].replace(".log", ".index")] {
            fs::remove_file(dir.path().join(name)).unwrap();
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        let log = open(dir.path());
        let read = |entry: &Arc<Entry>| (entry.position.offset, log.place_at(entry.time).unwrap());
        let is_held = |offset: Offset| {
            let limit = ReadLimit { entries: 1, bytes: usize::MAX };
            let query = Query { after: Offset(offset.0 - 1), until: offset, topics: None, now: NOW, limit };
            log.read(&query).unwrap().entries().count() == 1
        };
        let places: Vec<_> = entries.iter().map(read).filter(|(offset, _)| is_held(*offset)).collect();
        assert!((40..90).contains(&places.len()), "{places:?}");
        assert!(places.iter().all(|(offset, after)| after < offset), "{damaged}: {places:?}");
    }
}

#[test]
fn a_view_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let expected = {
        let log = open(dir.path());
        append(&log, 0..60)
    };
    // The indexes of all segments are removed, except one, which is damaged instead.
    let mut names: Vec<_> = files(dir.path()).into_keys().filter(|name| name.ends_with(".index")).collect();
    let damaged = names.pop().unwrap();
    names.iter().for_each(|name| fs::remove_file(dir.path().join(name)).unwrap());
    let path = dir.path().join(&damaged);
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(path, bytes).unwrap();
    let before = files(dir.path());
    let mut view = LogView::open(dir.path()).unwrap();
    assert_eq!(walk(&mut view).0, expected);
    let topic = [Topic::new("a").unwrap()];
    let limit = ReadLimit { entries: 1_000, bytes: 1 << 20 };
    let query = Query { after: Offset::ZERO, until: Offset(u64::MAX), topics: Some(&topic), now: NOW, limit };
    // Without an index, the view also returns entries with other topics.
    let found = view.read(&query).unwrap();
    assert_eq!(found.entries().filter(|entry| entry.update.topics() == topic).count(), 20);
    assert_eq!(view.locate(expected[4].id(), NOW).unwrap().held.len(), 1);
    assert_eq!(view.segments().unwrap().iter().map(|segment| segment.records).sum::<u64>(), 60);
    assert_eq!(files(dir.path()), before);
    // While a view is open, a hub may start.
    let log = open(dir.path());
    assert!(view.holder().is_none_or(|process| process == std::process::id()));
    drop(log);
    assert_eq!(view.holder(), None);
}

#[test]
fn what_cannot_be_looked_into_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let error = |path: &Path| LogView::open(path).unwrap_err();
    assert!(matches!(error(&dir.path().join("none")), ViewError::NotFound(_)));
    assert!(matches!(error(dir.path()), ViewError::NoLog(_)));
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(error(&file), ViewError::NotADirectory(_)));
    assert!(matches!(error(dir.path()), ViewError::NoLog(_)));
    fs::write(dir.path().join("log.redb"), "x").unwrap();
    assert!(matches!(error(dir.path()), ViewError::Log(crate::log::LogError::OldFormat(_))));
}

/// Tests the view of an empty log, and of a log whose entries were all discarded by retention.
#[test]
fn a_log_without_entries() {
    let dir = tempfile::tempdir().unwrap();
    let retention = Retention { age_ms: Some(1), ..Retention::default() };
    let log = SegmentLog::open_with(dir.path(), retention, SEGMENT).unwrap();
    let mut view = LogView::open(dir.path()).unwrap();
    assert_eq!((view.bounds(), walk(&mut view)), (log.bounds(), (vec![], vec![])));
    append(&log, 0..30);
    while log.discard(Timestamp(u64::MAX)).unwrap() > 0 {}
    view.refresh().unwrap();
    assert_eq!((view.bounds(), walk(&mut view)), (log.bounds(), (vec![], vec![])));
    assert_eq!(view.segments().unwrap().last().unwrap().last, None);
}

/// A view that reads at any moment, while another thread appends and erases, finds no damage.
#[test]
fn looks_while_it_is_written_find_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(open(dir.path()));
    append(&log, 0..10);
    let writer = {
        let log = log.clone();
        std::thread::spawn(move || {
            for number in (10..1_500).step_by(5) {
                let batch = (number..number + 5).map(update).collect();
                log.append(batch, NOW).unwrap();
                if number % 200 == 0 {
                    log.remove_dead().unwrap();
                } else if number % 100 == 0 {
                    erase_id(&log, &format!("own-{}", number - 20));
                }
            }
        })
    };
    let mut view = LogView::open(dir.path()).unwrap();
    while !writer.is_finished() {
        let head = log.bounds().head;
        view.refresh().unwrap();
        assert!(view.bounds().head >= head, "every acknowledged update is visible");
        let (entries, lost) = walk(&mut view);
        assert_eq!(lost, []);
        assert!(entries.iter().is_sorted_by_key(|entry| entry.position.offset));
        let expected = |entry: &Arc<Entry>| entry.update == update(entry.position.offset.0 - 1);
        assert!(entries.iter().all(expected));
    }
    writer.join().unwrap();
}
