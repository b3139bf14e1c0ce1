//! Tests that every damaged byte is found, and that nothing else is reported.
use super::{
    Flaw, LogView, Verified,
    view_cases::{NOW, append, erase_id, files, open, update, walk},
};
use crate::{
    entry::Timestamp,
    log::{Log, Retention},
    position::Offset,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

/// The distance between two neighbouring bytes that the test damages in a file.
const EVERY: usize = 41;
const THREADS: usize = 16;

fn verify(dir: &Path) -> Verified {
    let mut done = 0;
    let verified = LogView::verify(dir, &mut |progress| done = progress.done).unwrap();
    assert!(done <= verified.counts.bytes);
    verified
}

fn assert_sound(dir: &Path) -> Verified {
    let verified = verify(dir);
    assert_eq!(verified.findings, []);
    verified
}

/// Writes a log in two runs. The log has indexes, hashes of IDs, a list of erased updates, and a rewritten segment.
fn write(dir: &Path) {
    let log = open(dir);
    append(&log, 0..40);
    erase_id(&log, "own-4");
    log.remove_dead().unwrap();
    drop(log);
    let log = open(dir);
    append(&log, 40..70);
    erase_id(&log, "own-36");
    drop(log);
}

#[test]
fn a_log_is_sound_in_all_its_states() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    assert_sound(dir.path());
    append(&log, 0..40);
    assert_eq!(assert_sound(dir.path()).counts.records, 40);
    erase_id(&log, "own-4");
    assert_sound(dir.path());
    log.remove_dead().unwrap();
    assert_sound(dir.path());
    drop(log);
    assert_sound(dir.path());
    let log = open(dir.path());
    assert_sound(dir.path());
    append(&log, 40..60);
    assert_eq!(assert_sound(dir.path()).counts.records, 60);
    // The copied files are as if the process had been killed.
    let killed = tempfile::tempdir().unwrap();
    for (name, bytes) in files(dir.path()) {
        fs::write(killed.path().join(name), bytes).unwrap();
    }
    assert_sound(killed.path());
    let log = open(killed.path());
    append(&log, 60..80);
    assert_sound(killed.path());
}

#[test]
fn what_retention_has_discarded_is_not_missed() {
    let dir = tempfile::tempdir().unwrap();
    let retention = Retention { count: Some(25), ..Retention::default() };
    let log = super::SegmentLog::open_with(dir.path(), retention, super::view_cases::SEGMENT).unwrap();
    append(&log, 0..90);
    assert_sound(dir.path());
    log.remove_dead().unwrap();
    assert_sound(dir.path());
    drop(log);
    let verified = assert_sound(dir.path());
    assert!((25..60).contains(&verified.counts.records), "{verified:?}");
}

/// Checks that there is a finding about the file of each damaged byte.
#[test]
fn a_damaged_byte_of_any_file_is_found() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let whole = assert_sound(dir.path());
    let files = files(dir.path());
    assert_eq!(whole.counts.files, files.len() as u64);
    assert_eq!(whole.counts.bytes, files.values().map(|bytes| bytes.len() as u64).sum::<u64>());
    let kinds: Vec<_> = files.keys().map(|name| name.rsplit('.').next().unwrap()).collect();
    assert!(["log", "end", "index", "ids", "erased"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
    let places = files.iter().enumerate().flat_map(|(number, (name, bytes))| {
        let places = (number % EVERY..bytes.len()).step_by(EVERY).chain([0, bytes.len() - 1]);
        places.map(move |place| (name, place))
    });
    let places: Vec<_> = places.collect();
    // A check that finds a fault is repeated after a pause, so several threads are faster than one.
    std::thread::scope(|scope| {
        for places in places.chunks(places.len().div_ceil(THREADS)) {
            scope.spawn(|| flip(&files, places));
        }
    });
}

/// Damages one byte after the other in a copy of a log, and checks each time that the damage is found.
fn flip(files: &BTreeMap<String, Vec<u8>>, places: &[(&String, usize)]) {
    let dir = tempfile::tempdir().unwrap();
    files.iter().for_each(|(name, bytes)| fs::write(dir.path().join(name), bytes).unwrap());
    for (name, place) in places {
        let (path, mut damaged) = (dir.path().join(name), files[*name].clone());
        damaged[*place] ^= 1 << (place % 8);
        fs::write(&path, damaged).unwrap();
        let findings = verify(dir.path()).findings;
        assert!(
            findings.iter().any(|finding| finding.file == **name),
            "the damage to {name}, byte {place}, is not found: {findings:?}"
        );
        fs::write(path, &files[*name]).unwrap();
    }
    assert_sound(dir.path());
}

#[test]
fn what_is_cut_removed_or_foreign_is_found() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let files = files(dir.path());
    let logs: Vec<_> = files.keys().filter(|name| name.ends_with(".log")).collect();
    let (middle, last) = (logs[1], logs[logs.len() - 1]);
    let path = |name: &str| dir.path().join(name);
    let flaws = |file: &str| {
        let findings = verify(dir.path()).findings;
        findings.iter().filter(|finding| finding.file == file).map(|finding| finding.flaw).collect::<Vec<_>>()
    };
    let missing = |flaws: &[Flaw]| flaws.iter().any(|flaw| matches!(flaw, Flaw::Missing { .. }));
    fs::write(path(last), &files[last][..files[last].len() - 7]).unwrap();
    assert!(flaws(last).contains(&Flaw::Frame));
    assert!(missing(&flaws("end")), "the end mark has a higher offset than the last segment");
    // If the log is cut between two frames, only the end mark and the index show it.
    fs::write(path(last), &files[last][..64]).unwrap();
    assert!(missing(&flaws("end")));
    fs::write(path(last), &files[last]).unwrap();
    fs::remove_file(path(middle)).unwrap();
    assert!(missing(&flaws(logs[2])));
    fs::write(path(middle), &files[last]).unwrap();
    assert!(flaws(middle).contains(&Flaw::Foreign));
    fs::remove_file(path(middle)).unwrap();
    fs::create_dir(path(middle)).unwrap();
    assert_eq!(flaws(middle), [Flaw::NotAFile]);
    fs::remove_dir(path(middle)).unwrap();
    fs::write(path(middle), &files[middle]).unwrap();
    fs::remove_file(path("log")).unwrap();
    assert_eq!(flaws("log"), [Flaw::NoIdentity]);
    fs::write(path("log"), &files["log"]).unwrap();
    assert_sound(dir.path());
    // The index of one segment replaces the index of another segment.
    let [one, other] = [logs[0], logs[2]].map(|name| name.replace(".log", ".index"));
    fs::write(path(&one), &files[&other]).unwrap();
    assert!(flaws(&one).contains(&Flaw::Block));
}

#[test]
fn beside_a_log_that_is_written_nothing_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let retention = Retention { count: Some(300), ..Retention::default() };
    let log = super::SegmentLog::open_with(dir.path(), retention, super::view_cases::SEGMENT).unwrap();
    let log = Arc::new(log);
    let writer = {
        let log = log.clone();
        std::thread::spawn(move || {
            for number in (0..2_000).step_by(5) {
                let batch = (number..number + 5).map(update).collect();
                log.append(batch, Timestamp(NOW.0 + number)).unwrap();
                if number % 300 == 0 && number > 0 {
                    erase_id(&log, &format!("own-{}", number - 20));
                    log.remove_dead().unwrap();
                }
            }
        })
    };
    while !writer.is_finished() {
        assert_sound(dir.path());
    }
    writer.join().unwrap();
    assert_eq!(log.bounds().head, Offset(2_000));
}

/// Returns numbers from which [`damage`] chooses a change: the file, the position, the length, the new byte, and the
/// kind of change.
fn damages() -> impl Strategy<Value = (usize, usize, usize, u8, u8)> {
    (0..6_usize, any::<usize>(), any::<usize>(), any::<u8>(), 0..5_u8)
}

fn damage(
    files: &BTreeMap<String, Vec<u8>>,
    (file, place, length, byte, what): (usize, usize, usize, u8, u8),
) -> (String, Vec<u8>) {
    let names: Vec<_> = files.keys().collect();
    let name = names[(place ^ file) % names.len()].clone();
    let mut bytes = files[&name].clone();
    let place = length % (bytes.len() + 1);
    match what {
        0 => bytes.truncate(place),
        1 => bytes.extend(std::iter::repeat_n(byte, 1 + length % 9_000)),
        2 => bytes = files[names[length % names.len()]].clone(),
        3 => {
            let end = bytes.len().min(place + 1 + length % 500);
            bytes[place..end].fill(byte);
        }
        _ => {
            if let Some(bit) = bytes.get_mut(place) {
                *bit ^= 1 << (byte % 8);
            }
        }
    }
    (name, bytes)
}

/// Returns the configuration of the test. With `PROPTEST_CASES=1000` in the environment, it has 1,000 cases.
fn config() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").map_or(40, |cases| cases.parse().unwrap());
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]
    /// Checks three properties for any content of the files: nothing panics, only appended entries are read, and all
    /// damage that a reader meets is found.
    #[test]
    fn any_damage_is_found(damages in prop::collection::vec(damages(), 1..4)) {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path());
        let original = files(dir.path());
        let expected = walk(&mut LogView::open(dir.path()).unwrap()).0;
        for one in damages {
            let (name, bytes) = damage(&original, one);
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        let verified = LogView::verify(dir.path(), &mut |_| {});
        if let Ok(mut view) = LogView::open(dir.path()) {
            let (found, lost) = walk(&mut view);
            prop_assert!(found.iter().all(|entry| expected.iter().any(|known| known.update == entry.update)));
            let verified = verified.unwrap();
            prop_assert!(verified.is_sound() || files(dir.path()) != original);
            prop_assert!(!verified.is_sound() || (lost.is_empty() && found == expected), "{:?} {:?}", lost, verified);
            view.segments().unwrap();
            _ = LogView::backup(dir.path(), &dir.path().with_extension("backup"), &mut |_| {});
            _ = fs::remove_dir_all(dir.path().with_extension("backup"));
        }
    }
}
