//! Tests with damaged logs: only entries that were appended are read, in order, and missing entries are reported.
use super::SegmentLog;
use crate::{
    audience_key::AudienceKey,
    entry::{Entry, Timestamp},
    grant::Matchers,
    log::{
        Found, Log, LogError, Query, ReadLimit, Retention,
        cursor::{self, Resolved},
        erase::Erase,
    },
    position::Offset,
    representation::Representation,
    topic::Topic,
    update::{Update, UpdateFields},
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

const NOW: Timestamp = Timestamp(1_000_000);
const TOPICS: [&str; 3] = ["a", "b", "c"];
/// The size of a segment. It is small, so that there are many segments.
const SEGMENT: u64 = 3_000;

/// A kind of damage to the directory of a log.
#[derive(Clone, Debug)]
enum Damage {
    /// One bit of a file is changed.
    Flip(usize, usize, u8),
    /// A file is shortened.
    Cut(usize, usize),
    /// A part of a file is overwritten with a repeated byte.
    Fill(usize, usize, usize, u8),
    /// A file is made longer.
    Lengthen(usize, usize, u8),
    /// The names of two files are exchanged.
    Swap(usize, usize),
    /// A file is copied over another file.
    CopyOver(usize, usize),
    /// A file is removed.
    Remove(usize),
    /// A file is replaced by a file of another log.
    Foreign(usize),
    /// A file is replaced by an empty directory. With `Link`, it is replaced by a link to another file.
    Directory(usize),
    Link(usize, usize),
    /// There is a file with the name of a segment that never existed.
    Stray(u64, usize),
    /// A file is replaced by its content at an earlier time, or removed if it did not exist then.
    Older(usize, usize),
}

fn damages() -> impl Strategy<Value = Damage> {
    let n = || any::<usize>();
    prop_oneof![
        4 => (n(), n(), 0_u8..8).prop_map(|(file, place, bit)| Damage::Flip(file, place, bit)),
        4 => (n(), n()).prop_map(|(file, place)| Damage::Cut(file, place)),
        2 => (n(), n(), 1..6_000_usize, prop_oneof![Just(0), Just(0xff), Just(b'x')])
            .prop_map(|(file, place, bytes, with)| Damage::Fill(file, place, bytes, with)),
        1 => (n(), 1..9_000_usize, any::<u8>()).prop_map(|(file, bytes, with)| Damage::Lengthen(file, bytes, with)),
        2 => (n(), n()).prop_map(|(one, other)| Damage::Swap(one, other)),
        1 => (n(), n()).prop_map(|(one, other)| Damage::CopyOver(one, other)),
        3 => n().prop_map(Damage::Remove),
        1 => n().prop_map(Damage::Foreign),
        1 => n().prop_map(Damage::Directory),
        1 => (n(), n()).prop_map(|(one, other)| Damage::Link(one, other)),
        1 => (1..400_u64, n()).prop_map(|(first, other)| Damage::Stray(first, other)),
        3 => (n(), n()).prop_map(|(file, age)| Damage::Older(file, age)),
    ]
}

/// A log before it is damaged.
struct Original {
    dir: tempfile::TempDir,
    entries: Vec<Arc<Entry>>,
    erased: BTreeSet<Offset>,
    /// The contents of the files at earlier times.
    earlier: Vec<BTreeMap<String, Vec<u8>>>,
    /// True if the last process that wrote to the log ended cleanly.
    is_clean: bool,
    /// For each append: the position in the file of the segment at which the appended frame ends.
    ends: Vec<u64>,
}

/// The losses that are accepted after some damage.
#[derive(Clone, Copy, Debug)]
struct Allowed {
    /// True if the last segment may end exactly between two frames, after an unclean end of the log. The log does not
    /// notice the loss of the later frames, and only subscribers that had seen entries of these frames are told of a
    /// gap.
    silent_end: bool,
    /// True if readers may get erased entries again.
    forgets: bool,
}

/// Returns, for each run that writes to a log, the sizes of its batches; and true if the last run ends cleanly.
fn runs() -> impl Strategy<Value = (Vec<Vec<usize>>, bool)> {
    let batches = prop::collection::vec(1..5_usize, 1..16);
    (prop::collection::vec(batches, 1..4), any::<bool>())
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| path.is_file() && !path.is_symlink());
    files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap())).collect()
}

fn write(dir: &Path, files: &BTreeMap<String, Vec<u8>>) {
    fs::create_dir_all(dir).unwrap();
    files.iter().for_each(|(name, bytes)| fs::write(dir.join(name), bytes).unwrap());
}

fn open(dir: &Path) -> Result<SegmentLog, LogError> {
    SegmentLog::open_with(dir, Retention::default(), SEGMENT)
}

fn update(number: usize) -> Update {
    let data = format!("{number}:").repeat(1 + number % 23 * if number.is_multiple_of(17) { 20 } else { 1 });
    let topics = vec![Topic::new(TOPICS[number % 3]).unwrap()];
    let id = number.is_multiple_of(4).then(|| format!("own-{number}"));
    Update::new(UpdateFields { topics, data, id, ..UpdateFields::default() }).unwrap()
}

impl Original {
    fn new(runs: &[Vec<usize>], is_clean: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (mut entries, mut erased, mut earlier, mut ends) = (Vec::new(), BTreeSet::new(), Vec::new(), Vec::new());
        for (run, batches) in runs.iter().enumerate() {
            let log = open(dir.path()).unwrap();
            for batch in batches {
                let batch = (0..*batch).map(|place| update(entries.len() + place));
                entries.extend(log.append(batch.collect(), NOW).unwrap());
                ends.push(log.end_of_frames());
                if entries.len().is_multiple_of(7) {
                    earlier.push(files(dir.path()));
                }
            }
            // Only few entries of each segment are erased, so that the segment is not rewritten at once.
            if let Some(entry) = entries.get(run * 5).filter(|entry| !erased.contains(&entry.position.offset)) {
                let id = entry.id().clone();
                let erase = Erase { topic: None, id: Some(&id), before: None, may: &|_| true };
                assert_eq!(log.erase(&erase, NOW).unwrap().erased, 1);
                erased.insert(entry.position.offset);
            }
            if run == 1 {
                log.keep_now();
            }
            let is_last = run + 1 == runs.len();
            if is_last && !is_clean {
                let killed = files(dir.path());
                drop(log);
                fs::remove_dir_all(dir.path()).unwrap();
                write(dir.path(), &killed);
            }
        }
        Self { dir, entries, erased, earlier, is_clean, ends }
    }

    /// Damages a copy of the log. Returns the losses that are accepted after this damage.
    fn damage(&self, copy: &Path, damage: &Damage) -> Allowed {
        let files = files(self.dir.path());
        write(copy, &files);
        let names: Vec<_> = files.keys().cloned().collect();
        let name = |number: &usize| names[number % names.len()].clone();
        let path = |number: &usize| copy.join(name(number));
        let edit = |path: PathBuf, edit: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = fs::read(&path).unwrap();
            edit(&mut bytes);
            fs::write(path, bytes).unwrap();
        };
        match damage {
            Damage::Flip(file, place, bit) => edit(path(file), &|bytes| {
                if !bytes.is_empty() {
                    let place = place % bytes.len();
                    bytes[place] ^= 1 << bit;
                }
            }),
            Damage::Cut(file, place) => edit(path(file), &|bytes| bytes.truncate(place % (bytes.len() + 1))),
            Damage::Fill(file, place, length, with) => edit(path(file), &|bytes| {
                let begin = place % (bytes.len() + 1);
                let end = bytes.len().min(begin + length);
                bytes[begin..end].fill(*with);
            }),
            Damage::Lengthen(file, length, with) => edit(path(file), &|bytes| bytes.extend(vec![*with; *length])),
            Damage::Swap(one, other) => {
                fs::write(path(one), &files[&name(other)]).unwrap();
                fs::write(path(other), &files[&name(one)]).unwrap();
            }
            Damage::CopyOver(one, other) => fs::write(path(other), &files[&name(one)]).unwrap(),
            Damage::Remove(file) => fs::remove_file(path(file)).unwrap(),
            Damage::Foreign(file) => {
                let foreign = Self::new(&[vec![3; 12], vec![1]], true);
                let same = fs::read(foreign.dir.path().join(name(file))).ok();
                let any = same.or_else(|| fs::read(foreign.dir.path().join("0000000000000001.log")).ok());
                fs::write(path(file), any.unwrap()).unwrap();
            }
            Damage::Directory(file) => {
                fs::remove_file(path(file)).unwrap();
                fs::create_dir(path(file)).unwrap();
            }
            Damage::Link(one, other) => {
                if name(one) != name(other) {
                    fs::remove_file(path(one)).unwrap();
                    std::os::unix::fs::symlink(path(other), path(one)).unwrap();
                }
            }
            Damage::Stray(first, other) => {
                let stray = copy.join(format!("{:016x}.log", self.entries.len() as u64 + first));
                fs::write(stray, &files[&name(other)]).unwrap();
            }
            Damage::Older(file, age) => {
                let older = self.earlier.get(age % (self.earlier.len() + 1)).and_then(|files| files.get(&name(file)));
                match older {
                    Some(bytes) => fs::write(path(file), bytes).unwrap(),
                    None => fs::remove_file(path(file)).unwrap(),
                }
            }
        }
        // Without the list of erased entries, or with an older list, erased entries may be visible again.
        let is_gone = |name: &String| name.ends_with(".erased") && !copy.join(name).is_file();
        let forgets = names.iter().any(is_gone) || matches!(damage, Damage::Older(..));
        Allowed { silent_end: self.may_end_between_frames(copy, &files), forgets }
    }

    fn may_end_between_frames(&self, copy: &Path, before: &BTreeMap<String, Vec<u8>>) -> bool {
        let Some(last) = before.keys().rfind(|name| name.ends_with(".log")) else { return false };
        let Ok(bytes) = fs::read(copy.join(last)) else { return false };
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |place| place as u64 + 1);
        // The last bytes of a frame may be zeros. So the end of the frame may be up to 7 bytes after the last byte that
        // is not zero.
        let is_frame_end =
            self.ends.iter().any(|behind| (end..end + 8).contains(behind) || bytes.len() as u64 == *behind);
        !self.is_clean && bytes != before[last] && (is_frame_end || bytes.len().is_multiple_of(4_096))
    }

    /// Checks everything that must be true of a damaged log.
    fn check(&self, dir: &Path, allowed: Allowed) {
        let log = open(dir).unwrap();
        let bounds = log.bounds();
        let (found, holes) = walk(&log, Offset::ZERO, None);
        self.check_entries(&found, &holes, allowed);
        self.check_topics(&log, &found, &holes);
        for entry in &found {
            if let Some(id) = entry.update.id() {
                let candidates = log.locate(id, NOW).unwrap();
                let is_there = candidates.held.iter().any(|found| found.offset() == entry.position.offset);
                assert!(is_there, "{id:?} is found by its ID");
            }
        }
        let places = self.places(&log);
        let next: Vec<_> = log.append(vec![update(1_000_000), update(1_000_001)], NOW).unwrap();
        assert!(next[0].position.offset > bounds.head);
        self.check_resumes(&log, &places, &next, (bounds.head, allowed));
        drop(log);
        let again = open(dir).unwrap();
        self.check_resumes(&again, &places, &next, (bounds.head, allowed));
        let known: HashSet<_> = self.entries.iter().map(|entry| entry.position).collect();
        assert!(
            next.iter().all(|entry| !known.contains(&entry.position)),
            "no new entry has the position of an earlier entry"
        );
    }

    fn check_entries(&self, found: &[Arc<Entry>], holes: &[(Offset, Offset)], allowed: Allowed) {
        assert!(found.is_sorted_by(|one, other| one.position.offset < other.position.offset), "in order");
        for entry in found {
            let offset = entry.position.offset;
            assert_eq!(Some(entry), self.entries.get(index(offset)), "every entry that is read was appended");
            assert!(allowed.forgets || !self.erased.contains(&offset), "{offset} was erased");
            assert!(!holes.iter().any(|hole| is_in(hole, offset)), "{offset} is read and is also reported as lost");
        }
    }

    fn check_topics(&self, log: &SegmentLog, found: &[Arc<Entry>], holes: &[(Offset, Offset)]) {
        for topic in TOPICS.map(|topic| Topic::new(topic).unwrap()) {
            let (of_topic, told) = walk(log, Offset::ZERO, Some(&topic));
            let of_topic: Vec<_> =
                of_topic.into_iter().filter(|entry| entry.update.topics().contains(&topic)).collect();
            let expected: Vec<_> =
                found.iter().filter(|entry| entry.update.topics().contains(&topic)).cloned().collect();
            assert_eq!(of_topic, expected, "{topic:?}");
            for entry in &self.entries {
                let offset = entry.position.offset;
                let is_missing = holes.iter().any(|hole| is_in(hole, offset)) && entry.update.topics().contains(&topic);
                let is_told = told.iter().any(|hole| is_in(hole, offset));
                assert!(
                    !is_missing || self.erased.contains(&offset) || is_told,
                    "{offset} with {topic:?} is missing and is not reported as lost"
                );
            }
            let is_hole = |offset| holes.iter().any(|hole| is_in(hole, offset));
            assert!(told.iter().all(|(first, last)| is_hole(*first) && is_hole(*last)), "{told:?} {holes:?}");
        }
    }

    /// Returns the IDs of the entries of the original log, each with the index of its entry and the position that the
    /// damaged log finds for the ID.
    fn places(&self, log: &SegmentLog) -> Vec<(String, usize, Resolved)> {
        let everybody = AudienceKey::new(Matchers::any(), Matchers::any(), Representation::EventStream);
        let resolve = |id: &str| cursor::resolve(log, id, &everybody, NOW).unwrap();
        let mut places = Vec::new();
        for (place, entry) in self.entries.iter().enumerate() {
            let ids = [entry.position.to_string(), entry.id().to_string()];
            places.extend(ids.map(|id| (id.clone(), place, resolve(&id))));
        }
        places
    }

    /// Checks that a subscriber that saw an entry of the original log gets exactly the entries after it, or is told of
    /// a gap.
    fn check_resumes(
        &self,
        log: &SegmentLog,
        places: &[(String, usize, Resolved)],
        next: &[Arc<Entry>],
        (head, allowed): (Offset, Allowed),
    ) {
        for (id, place, Resolved { after, gap }) in places {
            let (rest, holes) = walk(log, *after, None);
            let rest: Vec<_> = rest.iter().filter(|entry| entry.position.offset > *after).cloned().collect();
            if gap.is_some() || (allowed.silent_end && *after == head) {
                assert!(
                    rest.ends_with(next),
                    "after {id}, the new entries are read: {after} {gap:?} {head} {rest:?} {next:?}"
                );
                continue;
            }
            let is_shown = |entry: &&Arc<Entry>| !self.erased.contains(&entry.position.offset) || rest.contains(entry);
            let is_told = |entry: &Arc<Entry>| holes.iter().any(|hole| is_in(hole, entry.position.offset));
            let follows = self.entries[place + 1..].iter().filter(is_shown);
            // Offsets after the head of the damaged log belong to entries that were appended after the damage. Entries
            // of the original log with such offsets are lost.
            let (kept, lost): (Vec<_>, Vec<_>) = follows.cloned().partition(|entry| entry.position.offset <= head);
            let kept: Vec<_> = kept.into_iter().filter(|entry| !is_told(entry)).collect();
            assert!(
                allowed.silent_end || lost.is_empty() || !holes.is_empty(),
                "after {id}, {} entries are lost without a gap",
                lost.len()
            );
            assert_eq!(rest, [&kept[..], next].concat(), "{id} resumes");
        }
    }
}

fn index(offset: Offset) -> usize {
    usize::try_from(offset.0 - 1).unwrap()
}

fn is_in((first, last): &(Offset, Offset), offset: Offset) -> bool {
    (*first..=*last).contains(&offset)
}

fn walk(log: &SegmentLog, mut after: Offset, topic: Option<&Topic>) -> (Vec<Arc<Entry>>, Vec<(Offset, Offset)>) {
    let (mut entries, mut holes): (Vec<_>, Vec<(Offset, Offset)>) = (Vec::new(), Vec::new());
    let (topics, limit) = (topic.map(std::slice::from_ref), ReadLimit { entries: 5, bytes: 2_000 });
    loop {
        let read = log.read(&Query { after, until: Offset(u64::MAX), topics, now: NOW, limit }).unwrap();
        if read.up_to == after {
            return (entries, holes);
        }
        for found in read.found {
            match found {
                Found::Entry(entry) => entries.push(entry),
                Found::Lost(first, last) => holes.push((first, last)),
                other => panic!("{other:?}"),
            }
        }
        after = read.up_to;
    }
}

/// Returns the configuration of the test. With `TEST_FANFARE_DAMAGES=2000` in the environment, it has 2,000 cases.
fn config() -> ProptestConfig {
    let cases = std::env::var("TEST_FANFARE_DAMAGES").map_or(60, |cases| cases.parse().unwrap());
    ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn nothing_is_wrong_and_nothing_is_silent((runs, is_clean) in runs(), damage in damages()) {
        let original = Original::new(&runs, is_clean);
        let copy = tempfile::tempdir().unwrap();
        let allowed = original.damage(copy.path(), &damage);
        original.check(copy.path(), allowed);
    }
}

#[test]
fn a_file_that_was_cut_anywhere_loses_nothing_silently() {
    // The last segment has two frames: one with two entries, and one with one entry.
    let original = Original::new(&[vec![4, 2, 4], vec![2, 1]], false);
    let names: Vec<_> = files(original.dir.path()).into_keys().collect();
    let last = names.iter().rposition(|name| name.ends_with(".log")).unwrap();
    let end = usize::try_from(*original.ends.last().unwrap()).unwrap();
    for length in (0..end).step_by(7) {
        let copy = tempfile::tempdir().unwrap();
        let allowed = original.damage(copy.path(), &Damage::Cut(last, length));
        original.check(copy.path(), allowed);
    }
}
