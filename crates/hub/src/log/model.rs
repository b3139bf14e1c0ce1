//! A test that compares all kinds of logs: after the same operations, the log of segments, the log in memory and a
//! plain list give the same answers.
use super::{erase::Erase, *};
use crate::{
    entry::Timestamp,
    position::{Offset, Position},
    topic::{PRESENCE_TOPICS, Topic, matcher::Matcher},
    update::{Update, UpdateFields},
};
use fanfare_event_stream::EventId;
use proptest::prelude::*;
use std::path::Path;

const BEGINNING: Timestamp = Timestamp(1_000_000);
const TOPICS: [&str; 4] = ["a", "b", "news/1", "news/2"];

#[derive(Clone, Debug)]
enum Step {
    Append(Vec<Drawn>),
    /// Lets this many milliseconds pass.
    Wait(u64),
    /// Closes the log of segments and opens it again.
    Reopen,
    /// Continues with a copy of the files of the log of segments, as if its process had been killed.
    Kill,
    /// Erases the updates with this topic, which is given by its index in `TOPICS`.
    EraseTopic(usize),
    EraseId(u8),
    ErasePresence,
    /// Removes the erased, expired and discarded entries from disk.
    Keep,
    /// Joins the records of presence updates in the active segment.
    Compact,
}

/// An update to append.
#[derive(Clone, Debug)]
struct Drawn {
    topics: Vec<usize>,
    id: u8,
    bytes: usize,
    ttl_ms: Option<u64>,
    private: bool,
    is_of_presence: bool,
}

fn steps(with_presence: bool) -> impl Strategy<Value = Vec<Step>> {
    let ttl = prop::option::of(0_u64..60);
    let drawn = (prop::collection::vec(0..TOPICS.len(), 1..3), 0_u8..6, 0_usize..300, ttl, any::<bool>(), 0_u8..3);
    let drawn = drawn.prop_map(move |(topics, id, bytes, ttl_ms, private, kind)| {
        let is_of_presence = with_presence && kind > 0;
        Drawn { topics, id, bytes, ttl_ms, private, is_of_presence }
    });
    let step = prop_oneof![
        6 => prop::collection::vec(drawn, 0..8).prop_map(Step::Append),
        2 => (0_u64..40).prop_map(Step::Wait),
        1 => Just(Step::Reopen),
        1 => Just(Step::Kill),
        1 => (0..TOPICS.len()).prop_map(Step::EraseTopic),
        1 => (3_u8..6).prop_map(Step::EraseId),
        1 => Just(Step::ErasePresence),
        1 => Just(Step::Keep),
        2 => Just(Step::Compact),
    ];
    prop::collection::vec(step, 1..40)
}

fn retention() -> impl Strategy<Value = Retention> {
    let limit = |most: u64| prop::option::of(0..most);
    let presence = (0_u64..1_000, 0_usize..12).prop_map(|(bytes, updates)| PresenceLimit { bytes, updates });
    (limit(60), limit(20), prop::option::of(1_u64..50), presence).prop_map(|(age_ms, count, rule, presence)| {
        let topics = Matcher::legacy_selector("news/{x}").unwrap();
        let topics = rule.map(|age_ms| TopicRetention { topics, age_ms }).into_iter().collect();
        Retention { age_ms, bytes: None, count, topics, presence }
    })
}

fn update(drawn: &Drawn) -> Update {
    if drawn.is_of_presence {
        return Update::of_hub(presence_topic(), "x".repeat(drawn.bytes), None);
    }
    let topics = drawn.topics.iter().map(|topic| Topic::new(TOPICS[*topic]).unwrap()).collect();
    let id = (drawn.id >= 3).then(|| format!("own-{}", drawn.id));
    let (data, ttl_ms, private) = ("x".repeat(drawn.bytes), drawn.ttl_ms, drawn.private);
    Update::new(UpdateFields { topics, data, id, ttl_ms, private, ..UpdateFields::default() }).unwrap()
}

fn presence_topic() -> Topic {
    Topic::new(&format!("{PRESENCE_TOPICS}a")).unwrap()
}

/// The presence updates that one of the logs keeps: the offset of each, its number of bytes, and true if it was erased.
#[derive(Clone, Debug)]
struct Newest {
    limit: PresenceLimit,
    kept: Vec<(usize, u64, bool)>,
    /// True if the file of the presence updates exists.
    has_file: bool,
}

impl Newest {
    fn push(&mut self, place: usize, update: &Update) {
        self.kept.push((place, update.stored_bytes() as u64, false));
        let bytes = |kept: &[(usize, u64, bool)]| kept.iter().filter(|kept| !kept.2).map(|kept| kept.1).sum::<u64>();
        while self.kept.len() > self.limit.updates || bytes(&self.kept) > self.limit.bytes {
            self.kept.remove(0);
        }
    }

    fn erase(&mut self) -> u64 {
        let erased = self.kept.iter_mut().filter(|kept| !kept.2).map(|kept| kept.2 = true).count() as u64;
        self.has_file &= erased == 0;
        erased
    }
}

/// The simplest log: a list from which nothing is removed. Each read decides which entries have expired or are
/// discarded.
struct List {
    retention: Retention,
    entries: Vec<(Timestamp, Update, bool)>,
    oldest: usize,
}

/// The content of a log at one or more offsets, without the epochs, which differ between two logs.
#[derive(Clone, Debug, PartialEq)]
enum Told {
    Entry(u64, Timestamp, Update),
    Lost(u64, u64),
    Discarded(u64, Vec<Topic>, bool),
    Erased(u64, bool),
    PresenceLost(u64),
}

impl List {
    fn count(&self) -> usize {
        self.entries[self.oldest..].iter().filter(|(_, update, _)| !update.is_of_presence()).count()
    }

    fn append(&mut self, batch: &[Update], now: Timestamp) {
        self.entries.extend(batch.iter().map(|update| (now, update.clone(), false)));
    }

    fn discard(&mut self, now: Timestamp) {
        while let Some((time, ..)) = self.entries.get(self.oldest) {
            let count = self.count() as u64;
            let exceeds = self.retention.count.is_some_and(|limit| count > limit)
                || self.retention.age_ms.is_some_and(|limit| now.0 - time.0 > limit);
            if !exceeds {
                break;
            }
            self.oldest += 1;
        }
    }

    fn told(&self, place: usize, now: Timestamp, newest: &Newest) -> Told {
        let (offset, (time, update, is_erased)) = (place as u64 + 1, &self.entries[place]);
        if update.is_of_presence() {
            return match newest.kept.iter().find(|kept| kept.0 == place) {
                None => Told::PresenceLost(offset),
                Some((.., true)) => Told::Erased(offset, true),
                Some((.., false)) => Told::Entry(offset, *time, update.clone()),
            };
        }
        let age = now.0 - time.0;
        let matches = |rule: &&TopicRetention| update.topics().iter().any(|topic| rule.topics.matches(topic));
        let rule = self.retention.topics.iter().find(matches).map(|rule| rule.age_ms + 1);
        let ttl = update.ttl_ms().filter(|ttl| age >= *ttl);
        let is_discarded = rule.is_some_and(|rule| age >= rule && ttl.is_none_or(|ttl| rule < ttl));
        match (*is_erased || (ttl.is_some() && !is_discarded), is_discarded) {
            (true, _) => Told::Erased(offset, update.is_private()),
            (_, true) => Told::Discarded(offset, update.topics().to_vec(), update.is_private()),
            _ => Told::Entry(offset, *time, update.clone()),
        }
    }

    fn read(&self, after: usize, topic: Option<&Topic>, now: Timestamp, newest: &Newest) -> Vec<Told> {
        let mut told = Vec::new();
        if after < self.oldest {
            told.push(Told::Lost(after as u64 + 1, self.oldest as u64));
        }
        for place in after.max(self.oldest)..self.entries.len() {
            if topic.is_none_or(|topic| self.entries[place].1.topics().contains(topic)) {
                told.push(self.told(place, now, newest));
            }
        }
        told.retain(|told| !matches!(told, Told::Erased(..)));
        told
    }

    fn locate(&self, id: &str, now: Timestamp, newest: &Newest) -> Vec<Told> {
        let has_it = |place: &usize| self.entries[*place].1.id().is_some_and(|own| own.as_str() == id);
        (self.oldest..self.entries.len()).filter(has_it).map(|place| self.told(place, now, newest)).collect()
    }

    fn had(&self, id: &str) -> bool {
        self.entries[..self.oldest].iter().any(|(_, update, _)| update.id().is_some_and(|own| own.as_str() == id))
    }

    fn erase(&mut self, fits: impl Fn(&Update) -> bool, now: Timestamp) -> u64 {
        let none = Newest { limit: PresenceLimit::DEFAULT, kept: Vec::new(), has_file: false };
        let mut erased = 0;
        for place in self.oldest..self.entries.len() {
            let is_there = matches!(self.told(place, now, &none), Told::Entry(..));
            if is_there && fits(&self.entries[place].1) {
                self.entries[place].2 = true;
                erased += 1;
            }
        }
        erased
    }
}

fn told(found: &Found) -> Vec<Told> {
    vec![match found {
        Found::Entry(entry) => Told::Entry(entry.position.offset.0, entry.time, entry.update.clone()),
        Found::Lost(first, last) => Told::Lost(first.0, last.0),
        Found::Discarded(gone) => Told::Discarded(gone.offset.0, gone.topics.to_vec(), gone.private),
        Found::Erased(erasure) => Told::Erased(erasure.offset.0, erasure.private),
        Found::PresenceLost(first, last) => return (first.0..=last.0).map(Told::PresenceLost).collect(),
    }]
}

/// Returns everything that a reader gets after the offset `after`. The log is read a few entries at a time.
fn walk(log: &dyn Log, after: u64, topic: Option<&Topic>, now: Timestamp) -> Vec<Told> {
    let (mut all, mut after) = (Vec::new(), Offset(after));
    let limit = ReadLimit { entries: 3, bytes: 500 };
    let topics = topic.map(std::slice::from_ref);
    loop {
        let read = log.read(&Query { after, until: Offset(u64::MAX), topics, now, limit }).unwrap();
        assert_eq!(
            read.up_to == after,
            after >= log.bounds().head,
            "reading ends at the head of the log and nowhere else"
        );
        all.extend(read.found.iter().flat_map(told));
        if read.up_to == after {
            return all;
        }
        after = read.up_to;
    }
}

fn open(dir: &Path, retention: &Retention) -> SegmentLog {
    SegmentLog::open_with(dir, retention.clone(), 1_500).unwrap()
}

/// Copies the files of an open log, as a killed process would leave them, and opens the copy.
fn open_copy(log: &SegmentLog, dir: &Path, copy: &Path, retention: &Retention) -> SegmentLog {
    // The log's background thread (the keeper) must not change files while they are copied.
    let _still = log.hold_still();
    for file in std::fs::read_dir(dir).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
    }
    open(copy, retention)
}

/// Compares the answers of `list` and `log` to all kinds of queries. After the last operation of a test, the log is
/// read from every offset; after earlier operations, only from some offsets.
fn compare(list: &List, log: &dyn Log, newest: &Newest, now: Timestamp, (name, is_last): (&str, bool)) {
    let (held, presence) = (list.count() as u64, (list.entries.len() - list.oldest - list.count()) as u64);
    let (oldest, head) = (Offset(list.oldest as u64 + 1), Offset(list.entries.len() as u64));
    let bounds = Bounds { oldest, head, held, presence };
    assert_eq!(log.bounds(), bounds, "{name}");
    for id in 3..6 {
        let id = format!("own-{id}");
        let candidates = log.locate(&EventId::new(&*id).unwrap(), now).unwrap();
        let expected = list.locate(&id, now, newest);
        assert_eq!(candidates.held.iter().flat_map(told).collect::<Vec<_>>(), expected, "{name} {id}");
        assert_eq!(candidates.discarded, !expected.is_empty() && list.had(&id), "{name} {id}");
    }
    let stride = if is_last { 1 } else { 1 + list.entries.len() / 3 };
    for after in (0..=list.entries.len()).step_by(stride) {
        assert_eq!(walk(log, after as u64, None, now), list.read(after, None, now, newest), "{name} after {after}");
    }
    for topic in TOPICS.map(|topic| Topic::new(topic).unwrap()) {
        for after in [0, list.oldest, usize::midpoint(list.oldest, list.entries.len())] {
            let found = walk(log, after as u64, Some(&topic), now);
            assert_eq!(found, list.read(after, Some(&topic), now, newest), "{name} {topic:?} after {after}");
        }
    }
    for time in [0, now.0.saturating_sub(30), now.0, now.0 + 1] {
        let held = &list.entries[list.oldest..];
        let expected = list.oldest + held.iter().filter(|(entry, ..)| entry.0 < time).count();
        let place = usize::try_from(log.place_at(Timestamp(time)).unwrap().0).unwrap();
        // The times of presence updates that are not kept any more are not known.
        let is_unknown =
            |place: usize| list.entries[place].1.is_of_presence() && newest.kept.iter().all(|kept| kept.0 != place);
        let are_unknown = (place.min(expected)..expected).all(is_unknown);
        assert!(place <= expected && are_unknown, "{name} at {time}: {place}, {expected}");
    }
}

fn discard(log: &dyn Log, now: Timestamp) {
    while log.discard(now).unwrap() > 0 {}
}

fn run(retention: &Retention, steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let mut copies = Vec::new();
    let mut list = List { retention: retention.clone(), entries: Vec::new(), oldest: 0 };
    let memory = MemoryLog::new(retention.clone());
    let mut segments = open(dir.path(), retention);
    let mut path = dir.path().to_owned();
    let mut now = BEGINNING;
    let newest = Newest { limit: retention.presence, kept: Vec::new(), has_file: false };
    let (mut in_memory, mut on_disk) = (newest.clone(), newest);
    let count = steps.len();
    for (number, step) in steps.into_iter().enumerate() {
        match step {
            Step::Append(drawn) => {
                let batch: Vec<_> = drawn.iter().map(update).collect();
                for (place, update) in batch.iter().enumerate().filter(|(_, update)| update.is_of_presence()) {
                    in_memory.push(list.entries.len() + place, update);
                    on_disk.push(list.entries.len() + place, update);
                }
                on_disk.has_file &= batch.is_empty();
                list.append(&batch, now);
                for log in [&memory as &dyn Log, &segments] {
                    let entries = log.append(batch.clone(), now).unwrap();
                    assert_eq!(entries.len(), batch.len());
                }
            }
            Step::Wait(ms) => now.0 += ms,
            Step::Reopen => {
                drop(segments);
                segments = open(&path, retention);
                on_disk.kept.retain(|kept| !kept.2);
                on_disk.has_file |= !on_disk.kept.is_empty();
                assert!(segments.recovery().missing.is_none());
            }
            Step::Kill => {
                let copy = tempfile::tempdir().unwrap();
                on_disk.kept.retain(|_| on_disk.has_file);
                let killed = open_copy(&segments, &path, copy.path(), retention);
                drop(std::mem::replace(&mut segments, killed));
                assert!(segments.recovery().missing.is_none());
                path = copy.path().to_owned();
                copies.push(copy);
            }
            Step::Keep => segments.keep_now(),
            Step::Compact => segments.compact_now(),
            Step::EraseTopic(topic) => {
                let topic = Topic::new(TOPICS[topic]).unwrap();
                let count = list.erase(|update| update.topics().contains(&topic), now);
                let erase = Erase { topic: Some(&topic), id: None, before: None, may: &|_| true };
                for log in [&memory as &dyn Log, &segments] {
                    assert_eq!(log.erase(&erase, now).unwrap().erased, count);
                }
            }
            Step::ErasePresence => {
                let topic = presence_topic();
                let erase = Erase { topic: Some(&topic), id: None, before: None, may: &|_| true };
                assert_eq!(memory.erase(&erase, now).unwrap().erased, in_memory.erase());
                assert_eq!(segments.erase(&erase, now).unwrap().erased, on_disk.erase());
            }
            Step::EraseId(id) => {
                let id = EventId::new(format!("own-{id}")).unwrap();
                let count = list.erase(|update| update.id() == Some(&id), now);
                let erase = Erase { topic: None, id: Some(&id), before: None, may: &|_| true };
                for log in [&memory as &dyn Log, &segments] {
                    assert_eq!(log.erase(&erase, now).unwrap().erased, count);
                }
            }
        }
        list.discard(now);
        discard(&memory, now);
        discard(&segments, now);
        in_memory.kept.retain(|kept| kept.0 >= list.oldest);
        on_disk.kept.retain(|kept| kept.0 >= list.oldest);
        let is_last = number + 1 == count;
        compare(&list, &memory, &in_memory, now, ("memory", is_last));
        compare(&list, &segments, &on_disk, now, ("segments", is_last));
    }
}

/// Returns the configuration of the test. With `PROPTEST_CASES=2000` in the environment, it has 2,000 cases.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").map_or(40, |cases| cases.parse().unwrap());
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn all_are_the_same_log(retention in retention(), steps in steps(false)) {
        run(&retention, steps);
    }

    /// The logs have no limit on age here: the age of a run of presence updates depends on the number of updates that
    /// share one record.
    #[test]
    fn all_keep_the_same_presence_updates(retention in retention(), steps in steps(true)) {
        run(&Retention { age_ms: None, ..retention }, steps);
    }
}

/// After each restart, every position still has the epoch in which its entry was appended.
#[test]
fn positions_are_those_of_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let drawn = Drawn { topics: vec![0], id: 0, bytes: 1, ttl_ms: None, private: false, is_of_presence: false };
    let append = |log: &SegmentLog| log.append(vec![update(&drawn)], BEGINNING).unwrap().remove(0);
    let first = append(&open(dir.path(), &Retention::default()));
    let second = append(&open(dir.path(), &Retention::default()));
    assert_eq!((first.position.offset, second.position.offset), (Offset(1), Offset(2)));
    assert_ne!(first.position.epoch, second.position.epoch);
    let log = open(dir.path(), &Retention::default());
    for entry in [first, second] {
        let Position { epoch, offset } = entry.position;
        assert_eq!(log.epochs().end(epoch, log.bounds().head), Some(offset));
        assert_eq!(log.epochs().position(offset), entry.position);
    }
}
