//! A log on disk is the same after its process has ended, in a new epoch.
use super::*;
use fanfare_hub::log::{Bounds, IDLE_EPOCHS, LogError};
use std::fs;

#[test]
fn entries_ids_and_the_head_survive() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), KEEP_ALL);
    let first = log.epochs().current();
    let mut entries = append(&log, &["1", "2"]);
    entries.extend(log.append(vec![update_with_id("3", "three")], NOW).unwrap());
    drop(log);
    let log = open(dir.path(), KEEP_ALL);
    assert_ne!(log.epochs().current(), first);
    assert_eq!(log.bounds(), Bounds { oldest: Offset(1), head: Offset(3), held: 3, presence: 0 });
    entries.extend(append(&log, &["4"]));
    assert_eq!(read(&log, Offset::ZERO, UNLIMITED), entries, "each keeps the epoch it was appended in");
    assert_eq!(locate(&log, "three"), Some(3));
}

#[test]
fn offsets_are_not_used_again_when_everything_was_discarded() {
    let dir = tempfile::tempdir().unwrap();
    let one_ms = Retention { age_ms: Some(0), ..KEEP_ALL };
    let log = open(dir.path(), one_ms.clone());
    append(&log, &["1", "2", "3"]);
    assert_eq!(log.discard(Timestamp(NOW.0 + 1)).unwrap(), 3);
    drop(log);
    let log = open(dir.path(), one_ms);
    assert_eq!(log.bounds(), Bounds { oldest: Offset(4), head: Offset(3), held: 0, presence: 0 });
    assert_eq!(append(&log, &["4"])[0].position.offset, Offset(4));
}

#[test]
fn what_retention_measures_survives() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), KEEP_ALL);
    append(&log, &["1", "2", "3", "4"]);
    drop(log);
    let size = (RECORD_BYTES + "orders/1".len() + 1) as u64;
    let log = open(dir.path(), Retention { bytes: Some(2 * size), ..KEEP_ALL });
    discard_all(&log, NOW);
    assert_eq!(data(&log), ["3", "4"]);
    drop(log);
    let log = open(dir.path(), Retention { bytes: Some(2 * size), ..KEEP_ALL });
    append(&log, &["5"]);
    discard_all(&log, NOW);
    assert_eq!(data(&log), ["4", "5"]);
}

/// The names of the files of a log.
fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn epochs_are_bounded_however_often_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let mut epochs = Vec::new();
    for _ in 0..IDLE_EPOCHS + 3 {
        let log = open(dir.path(), Retention { count: Some(1), ..KEEP_ALL });
        epochs.push(append(&log, &["1"])[0].position.epoch);
    }
    let log = open(dir.path(), KEEP_ALL);
    let head = log.bounds().head;
    let knows = |epoch| log.epochs().end(epoch, head).is_some();
    assert!(knows(*epochs.last().unwrap()), "its entry is held");
    assert!(!knows(epochs[0]) && !knows(epochs[1]));
    assert!(knows(epochs[3]));
}

/// A process that fails at each start must not use up the disk, or take the place of quiet subscribers away.
#[test]
fn a_start_that_appends_nothing_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let empty = open(dir.path(), KEEP_ALL).epochs().position(Offset::ZERO).to_string();
    let at_first = files(dir.path());
    for _ in 0..10 {
        let log = open(dir.path(), KEEP_ALL);
        assert_eq!(resolve(&log, &empty), Resolved { after: Offset::ZERO, gap: None });
    }
    assert_eq!(files(dir.path()), at_first, "only the identity of the log");
    let last = append(&open(dir.path(), KEEP_ALL), &["1", "2"]).pop().unwrap();
    let after_a_clean_end = files(dir.path());
    let killed = tempfile::tempdir().unwrap();
    {
        let log = open(dir.path(), KEEP_ALL);
        append(&log, &["3"]);
        copy(dir.path(), killed.path());
    }
    let after_a_kill = files(killed.path());
    for round in 0..1_000 {
        let log = open(killed.path(), KEEP_ALL);
        assert_eq!(log.bounds().head, Offset(3), "round {round}");
        assert_eq!(resolve(&log, last.id().as_str()), Resolved { after: Offset(2), gap: None });
        // The processes of a crash loop do not end cleanly.
        std::mem::forget(log);
        unlock(killed.path());
    }
    assert_eq!(files(killed.path()), after_a_kill);
    assert_eq!(after_a_clean_end.len(), 4, "{after_a_clean_end:?}");
}

/// The first update of a run is refused, and the process ends without another one. Nothing is missing then, also if the
/// log is empty, so that the file that could not be made would have replaced another one.
#[test]
fn a_first_update_that_is_refused_makes_no_gap() {
    for is_empty in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let retention = Retention { age_ms: Some(0), ..KEEP_ALL };
        let log = open(dir.path(), retention.clone());
        let last = append(&log, &["1", "2"]).pop().unwrap();
        if is_empty {
            discard_all(&log, Timestamp(NOW.0 + 1));
        }
        drop(log);
        let new = dir.path().join("0000000000000003.new");
        for is_killed in [false, true] {
            let log = open(dir.path(), retention.clone());
            // There is no room for the new file, because something else has its name.
            fs::create_dir(&new).unwrap();
            assert!(log.append(vec![update("refused")], NOW).is_err());
            fs::remove_dir(&new).unwrap();
            if is_killed {
                std::mem::forget(log);
                unlock(dir.path());
            }
        }
        // This fails if an update is missing.
        let log = open(dir.path(), KEEP_ALL);
        assert_eq!(log.bounds().head, Offset(2));
        assert!(log.recovery().was_clean);
        assert_eq!(resolve(&log, last.id().as_str()), Resolved { after: Offset(2), gap: None });
        assert_eq!(append(&log, &["3"])[0].position.offset, Offset(3));
        drop(log);
        assert_eq!(open(dir.path(), KEEP_ALL).bounds().head, Offset(3));
    }
}

/// The mark of a clean end that could not be removed is not valid any more after an append, even if the new file has
/// replaced an empty one with the same name.
#[test]
fn a_mark_that_stays_is_outdated() {
    for is_empty in [false, true] {
        let (dir, retention) = (tempfile::tempdir().unwrap(), Retention { age_ms: Some(0), ..KEEP_ALL });
        let log = open(dir.path(), retention.clone());
        append(&log, &["1", "2"]);
        if is_empty {
            discard_all(&log, Timestamp(NOW.0 + 1));
        }
        drop(log);
        let mark = fs::read(dir.path().join("end")).unwrap();
        let log = open(dir.path(), retention.clone());
        let third = append(&log, &["3"]).remove(0);
        assert!(!dir.path().join("end").exists());
        fs::write(dir.path().join("end"), mark).unwrap();
        std::mem::forget(log);
        unlock(dir.path());
        let log = open(dir.path(), KEEP_ALL);
        assert!(!log.recovery().was_clean);
        assert_eq!(resolve(&log, third.id().as_str()), Resolved { after: Offset(3), gap: None });
        assert_eq!(append(&log, &["4"])[0].position.offset, Offset(4));
    }
}

/// Copies the files of a log, as a process leaves them that is killed.
fn copy(from: &Path, to: &Path) {
    for name in files(from) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

/// Takes the lock of a log away from this process, which has not closed it.
fn unlock(dir: &Path) {
    let elsewhere = dir.with_extension("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    copy(dir, &elsewhere);
    fs::remove_dir_all(dir).unwrap();
    fs::rename(elsewhere, dir).unwrap();
}

#[test]
fn space_is_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let log = SegmentLog::open_with(dir.path(), Retention { count: Some(1_000), ..KEEP_ALL }, 1 << 20).unwrap();
    let bytes = || files(dir.path()).iter().map(|name| fs::metadata(dir.path().join(name)).unwrap().len()).sum::<u64>();
    let text = "x".repeat(1_000);
    let fill = || (0..50).for_each(|_| _ = log.append((0..100).map(|_| update(&text)).collect(), NOW).unwrap());
    fill();
    let after_once = bytes();
    (0..4).for_each(|_| fill());
    assert!(bytes() < after_once + (1 << 20), "25,000 entries were appended, 1,000 are held");
    assert_eq!(log.bounds(), Bounds { oldest: Offset(24_001), head: Offset(25_000), held: 1_000, presence: 0 });
}

#[test]
fn a_log_is_open_once() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), KEEP_ALL);
    append(&log, &["1"]);
    let is_in_use = || matches!(SegmentLog::open(dir.path(), KEEP_ALL), Err(LogError::InUse));
    assert!(is_in_use());
    // The lock is on the directory: there is no file to remove it with.
    for name in files(dir.path()) {
        if !name.ends_with(".log") {
            fs::remove_file(dir.path().join(name)).unwrap();
            assert!(is_in_use());
        }
    }
    let link = dir.path().with_extension("link");
    std::os::unix::fs::symlink(dir.path(), &link).unwrap();
    assert!(matches!(SegmentLog::open(&link, KEEP_ALL), Err(LogError::InUse)), "whatever it is called");
    fs::remove_file(link).unwrap();
    drop(log);
    SegmentLog::open(dir.path(), KEEP_ALL).unwrap();
}

#[test]
fn a_directory_is_made_and_one_that_cannot_be_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    open(&dir.path().join("not/yet/there"), KEEP_ALL);
    fs::write(dir.path().join("file"), "").unwrap();
    for taken in ["file", "file/below"] {
        assert!(matches!(SegmentLog::open(&dir.path().join(taken), KEEP_ALL), Err(LogError::Io(_))), "{taken}");
    }
}

/// Nothing was released with it, so it is not converted.
#[test]
fn a_log_of_an_earlier_version_is_refused_and_left_alone() {
    for name in ["log.redb", "log.journal"] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(name), "old").unwrap();
        let error = SegmentLog::open(dir.path(), KEEP_ALL).unwrap_err();
        assert!(matches!(&error, LogError::OldFormat(file) if file.ends_with(name)), "{error}");
        assert!(error.to_string().contains("choose another directory"), "{error}");
        assert_eq!(files(dir.path()), [name]);
    }
}

#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let log = open(&path, KEEP_ALL);
    append(&log, &["1"]);
    drop(log);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for name in files(&path) {
        assert_eq!(mode(&path.join(&name)), 0o600, "{name}");
    }
}
