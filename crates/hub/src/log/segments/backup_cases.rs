//! Tests that a backup is a log with all updates that were acknowledged before it began.
use super::{
    BackupError, LogView, SegmentLog, copy,
    view_cases::{NOW, SEGMENT, append, erase_id, files, open, update, walk},
};
use crate::{
    entry::{Entry, Timestamp},
    log::{Log, Retention},
    position::Offset,
    update::{Update, UpdateFields},
};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

fn backup(from: &Path, to: &Path) -> super::BackedUp {
    LogView::backup(from, to, &mut |_| {}).unwrap()
}

/// Opens a backup, which must have ended cleanly, and returns its entries.
fn entries(dir: &Path) -> Vec<Arc<Entry>> {
    let log = open(dir);
    assert!(log.recovery().was_clean);
    assert_eq!(log.recovery().missing, None);
    let bounds = log.bounds();
    drop(log);
    let mut view = LogView::open(dir).unwrap();
    assert_eq!(view.bounds(), bounds);
    let (entries, lost) = walk(&mut view);
    assert_eq!(lost, []);
    assert_eq!(LogView::verify(dir, &mut |_| {}).unwrap().findings, []);
    entries
}

#[test]
fn a_backup_of_a_log_that_is_open_and_of_one_that_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let [log_dir, to, again, closed] = ["log", "to", "again", "closed"].map(|name| dir.path().join(name));
    let log = open(&log_dir);
    let mut expected = append(&log, 0..60);
    erase_id(&log, "own-8");
    expected.retain(|entry| entry.id().as_str() != "own-8");
    let made = backup(&log_dir, &to);
    assert_eq!((made.oldest, made.head), (Offset(1), Offset(60)));
    assert!(made.linked_bytes > 0 && made.copied_bytes > 0 && made.segments > 3, "{made:?}");
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o700);
    for file in fs::read_dir(&to).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(entries(&to), expected);
    // Changes of the log do not change its backup, and changes of the backup do not change the log.
    let more = append(&log, 60..90);
    log.remove_dead().unwrap();
    assert_eq!(entries(&to), expected);
    let restored = open(&to);
    let other = append(&restored, 200..230);
    assert_eq!(other[0].position.offset, Offset(61));
    assert_ne!(other[0].position.epoch, more[0].position.epoch);
    drop(restored);
    expected.extend(more);
    // An empty directory is accepted as a target.
    fs::create_dir(&again).unwrap();
    backup(&log_dir, &again);
    assert_eq!(entries(&again), expected);
    drop(log);
    backup(&log_dir, &closed);
    assert_eq!(entries(&closed), expected);
    let ends = |dir: &Path| open(dir).epochs().to_vec();
    assert_eq!(ends(&closed), ends(&log_dir));
    // If a backup has lost its last segment, the loss is noticed when it is opened.
    let last = files(&closed).into_keys().rfind(|name| name.ends_with(".log")).unwrap();
    fs::remove_file(closed.join(last)).unwrap();
    let last = expected.last().unwrap().position.offset;
    assert_eq!(open(&closed).recovery().missing.unwrap().1, last);
}

#[test]
fn a_backup_of_an_empty_log_and_of_one_that_retention_has_emptied() {
    let dir = tempfile::tempdir().unwrap();
    let [log_dir, empty, emptied] = ["log", "empty", "emptied"].map(|name| dir.path().join(name));
    let retention = Retention { age_ms: Some(1), ..Retention::default() };
    let log = SegmentLog::open_with(&log_dir, retention, SEGMENT).unwrap();
    backup(&log_dir, &empty);
    assert_eq!(entries(&empty), []);
    append(&log, 0..30);
    while log.discard(Timestamp(u64::MAX)).unwrap() > 0 {}
    backup(&log_dir, &emptied);
    assert_eq!(entries(&emptied), []);
    assert_eq!(open(&emptied).bounds(), log.bounds());
}

#[test]
fn where_a_backup_cannot_be() {
    let dir = tempfile::tempdir().unwrap();
    let log_dir = dir.path().join("log");
    append(&open(&log_dir), 0..5);
    let before = files(&log_dir);
    let error = |to: &Path| LogView::backup(&log_dir, to, &mut |_| {}).unwrap_err();
    assert!(matches!(error(&log_dir), BackupError::NotEmpty(_)));
    assert!(matches!(error(&log_dir.join("in")), BackupError::Within(_)));
    assert!(matches!(error(&dir.path().join("none/in")), BackupError::Write { .. }));
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(error(&file), BackupError::NotEmpty(_)));
    assert!(matches!(error(Path::new("/proc")), BackupError::NotEmpty(_) | BackupError::MountPoint(_)));
    let to = dir.path().join("to");
    fs::create_dir(dir.path().join("to.partial")).unwrap();
    fs::write(dir.path().join("to.partial/mine"), "x").unwrap();
    assert!(matches!(error(&to), BackupError::Occupied(_)));
    assert!(dir.path().join("to.partial/mine").exists() && !to.exists());
    assert_eq!(files(&log_dir), before);
    assert!(matches!(
        LogView::backup(&file, &to, &mut |_| {}).unwrap_err(),
        BackupError::From(super::ViewError::NotADirectory(_))
    ));
}

/// Returns an update. Few of these updates have publishers' IDs, because a segment with such IDs leaves a file with
/// their hashes when retention removes it.
fn sparse(number: u64) -> Update {
    let update = update(number);
    let id = (number % 40 == 20).then(|| format!("own-{number}"));
    let (topics, data) = (update.topics().to_vec(), update.data().to_owned());
    Update::new(UpdateFields { topics, data, id, ..UpdateFields::default() }).unwrap()
}

/// Appends, discards and erases updates and rewrites segments, without a pause, until `stop` is true.
fn work(log: &SegmentLog, acknowledged: &AtomicU64, erased: &AtomicU64, stop: &AtomicBool) {
    for number in (0..).step_by(4) {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let batch = (number..number + 4).map(sparse).collect();
        log.append(batch, Timestamp(NOW.0 + number)).unwrap();
        acknowledged.store(number + 4, Ordering::Release);
        if number % 40 == 0 && number >= 40 {
            erase_id(log, &format!("own-{}", number - 20));
            erased.store(number - 20, Ordering::Release);
        }
        if number % 120 == 0 {
            log.remove_dead().unwrap();
        }
        if number % 200 == 0 {
            _ = log.discard(NOW);
        }
    }
}

#[test]
fn backups_of_a_log_that_never_rests() {
    const ROUNDS: usize = 25;
    /// The number of updates that must be appended during the backups. With fewer, the test would not show that a busy
    /// log can be backed up.
    const LEAST: u64 = 1_000;
    let dir = tempfile::tempdir().unwrap();
    let log_dir = dir.path().join("log");
    let retention = Retention { count: Some(400), ..Retention::default() };
    let log = Arc::new(SegmentLog::open_with(&log_dir, retention, SEGMENT).unwrap());
    let (acknowledged, erased, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| work(&log, &acknowledged, &erased, &stop));
        for round in 0.. {
            // On a busy machine, only a few updates may be appended during a backup. So backups are made until enough
            // updates are appended in all, up to a limit.
            if round >= 40 * ROUNDS || (round >= ROUNDS && acknowledged.load(Ordering::Relaxed) > LEAST) {
                break;
            }
            let to = dir.path().join(round.to_string());
            let (known, gone) = (acknowledged.load(Ordering::Acquire), erased.load(Ordering::Acquire));
            let made = LogView::backup(&log_dir, &to, &mut |_| {});
            let made = made.inspect_err(|_| stop.store(true, Ordering::Relaxed)).unwrap();
            let checked = std::panic::catch_unwind(|| check(&to, made, (known, gone)));
            if checked.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            checked.unwrap();
            fs::remove_dir_all(to).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(acknowledged.load(Ordering::Relaxed) > LEAST);
}

/// Checks a backup that began when `known` updates were acknowledged, and updates up to `gone` were erased.
fn check(to: &Path, made: super::BackedUp, (known, gone): (u64, u64)) {
    assert!(made.head.0 >= known, "the backup {made:?} lacks acknowledged updates: there are {known}");
    let entries = entries(to);
    assert_eq!(made.head, open(to).bounds().head);
    let mut next = made.oldest.0;
    for entry in &entries {
        let (offset, number) = (entry.position.offset.0, entry.position.offset.0 - 1);
        // Only updates that were erased may be missing.
        for missing in next..offset {
            assert_eq!((missing - 1) % 40, 20, "{missing}");
        }
        assert_eq!(entry.update, sparse(number));
        assert!(number % 40 != 20 || number > gone, "{number} was erased");
        next = offset + 1;
    }
    assert!(next > known, "{next} {known}");
}

/// The files that a killed backup has left do not prevent the next backup to the same path.
#[test]
fn what_a_killed_backup_leaves_is_no_hindrance() {
    let dir = tempfile::tempdir().unwrap();
    let [log_dir, to] = ["log", "to"].map(|name| dir.path().join(name));
    let expected = append(&open(&log_dir), 0..40);
    let partial = dir.path().join("to.partial");
    fs::create_dir(&partial).unwrap();
    for (name, bytes) in files(&log_dir).iter().take(5) {
        fs::write(partial.join(name), &bytes[..bytes.len() / 2]).unwrap();
    }
    backup(&log_dir, &to);
    assert_eq!(entries(&to), expected);
    assert!(!partial.exists());
}

/// A backup copies all files where links are not possible.
#[test]
fn a_backup_on_another_file_system() {
    use std::os::unix::fs::MetadataExt as _;
    let dir = tempfile::tempdir().unwrap();
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return };
    if other.path().metadata().unwrap().dev() == dir.path().metadata().unwrap().dev() {
        return;
    }
    let to = other.path().join("to");
    let log = open(dir.path());
    let expected = append(&log, 0..60);
    let made = backup(dir.path(), &to);
    assert_eq!(made.linked_bytes, 0);
    assert_eq!(entries(&to), expected);
    assert!(
        fs::read_dir(&to).unwrap().all(|file| file.unwrap().metadata().unwrap().permissions().mode() & 0o777 == 0o600)
    );
}

#[test]
fn a_backup_of_a_damaged_log_has_what_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let [log_dir, to] = ["log", "to"].map(|name| dir.path().join(name));
    let log = open(&log_dir);
    let expected = log.append((0..6).map(update).collect(), NOW).unwrap();
    drop(log);
    let path = log_dir.join("0000000000000001.log");
    let mut bytes = fs::read(&path).unwrap();
    let place = bytes.windows(2).position(|bytes| bytes == b"3:").unwrap();
    bytes[place] ^= 1;
    fs::write(path, bytes).unwrap();
    backup(&log_dir, &to);
    let (found, lost) = walk(&mut LogView::open(&to).unwrap());
    assert_eq!((found.len(), lost), (5, vec![(4, 4)]));
    assert!(found.iter().all(|entry| expected.contains(entry)));
}

/// The log rewrites a segment while the backup links its files. Erased updates must not be in the backup.
#[test]
fn a_segment_is_rewritten_while_it_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let [log_dir, to] = ["log", "to"].map(|name| dir.path().join(name));
    let log = Arc::new(open(&log_dir));
    let mut expected = append(&log, 0..60);
    erase_id(&log, "own-4");
    expected.retain(|entry| entry.id().as_str() != "own-4");
    let (first, hub) = (log_dir.join("0000000000000001.log"), log);
    copy::tests::after_each_link(move |file| {
        if file == first {
            hub.remove_dead().unwrap();
        }
    });
    backup(&log_dir, &to);
    assert_eq!(entries(&to), expected);
}

/// Retention removes segments during the backup, including segments that were linked already.
#[test]
fn segments_are_discarded_while_others_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    let [log_dir, to] = ["log", "to"].map(|name| dir.path().join(name));
    let retention = Retention { age_ms: Some(40), ..Retention::default() };
    let log = Arc::new(SegmentLog::open_with(&log_dir, retention, SEGMENT).unwrap());
    let expected = append(&log, 0..60);
    let (second, hub) = (files(&log_dir).into_keys().filter(|name| name.ends_with(".log")).nth(1).unwrap(), log);
    copy::tests::after_each_link(move |file| {
        if file.ends_with(&second) {
            // This discards all updates with a number below 50.
            while hub.discard(Timestamp(NOW.0 + 90)).unwrap() > 0 {}
        }
    });
    let made = backup(&log_dir, &to);
    let found = entries(&to);
    assert!(found.len() < 30 && expected.ends_with(&found), "{}", found.len());
    assert_eq!(made.oldest, found[0].position.offset);
}
