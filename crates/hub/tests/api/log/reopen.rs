//! A log on disk is the same after its process has ended, in a new epoch.
use super::*;
use fanfare_hub::log::{Bounds, IDLE_EPOCHS, LogError};

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
    assert_eq!(log.bounds(), Bounds { oldest: Offset(1), head: Offset(3) });
    entries.extend(append(&log, &["4"]));
    assert_eq!(log.read(Offset::ZERO, UNLIMITED).unwrap(), entries, "each keeps the epoch it was appended in");
    assert_eq!(locate(&log, "three"), Some(3));
}

#[test]
fn offsets_are_not_used_again_when_everything_was_discarded() {
    let dir = tempfile::tempdir().unwrap();
    let one_ms = Retention { age_ms: Some(0), ..KEEP_ALL };
    let log = open(dir.path(), one_ms);
    append(&log, &["1", "2", "3"]);
    assert_eq!(log.discard(Timestamp(NOW.0 + 1)).unwrap(), 3);
    drop(log);
    let log = open(dir.path(), one_ms);
    assert_eq!(log.bounds(), Bounds { oldest: Offset(4), head: Offset(3) });
    assert_eq!(append(&log, &["4"])[0].position.offset, Offset(4));
}

#[test]
fn what_retention_measures_survives() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), KEEP_ALL);
    append(&log, &["1", "2", "3", "4"]);
    drop(log);
    let size = 86 + "orders/1".len() as u64 + 1;
    let log = open(dir.path(), Retention { bytes: Some(2 * size), ..KEEP_ALL });
    while log.discard(NOW).unwrap() > 0 {}
    assert_eq!(data(&log), ["3", "4"]);
    drop(log);
    let log = open(dir.path(), Retention { bytes: Some(2 * size), ..KEEP_ALL });
    append(&log, &["5"]);
    while log.discard(NOW).unwrap() > 0 {}
    assert_eq!(data(&log), ["4", "5"]);
}

#[test]
fn epochs_are_bounded_however_often_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path(), KEEP_ALL);
    append(&first, &["1"]);
    let (wrote, mut idle) = (first.epochs().current(), Vec::new());
    drop(first);
    for _ in 0..IDLE_EPOCHS + 2 {
        idle.push(open(dir.path(), KEEP_ALL).epochs().current());
    }
    let log = open(dir.path(), KEEP_ALL);
    let knows = |epoch| log.epochs().end(epoch, Offset(1)).is_some();
    assert!(knows(wrote), "its entry is held");
    assert!(!knows(idle[0]) && !knows(idle[1]));
    assert!(knows(idle[2]));
}

#[test]
fn space_is_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), Retention { count: Some(1_000), ..KEEP_ALL });
    let bytes = || std::fs::metadata(dir.path().join("log.redb")).unwrap().len();
    let text = "x".repeat(1_000);
    let fill = || (0..50).for_each(|_| _ = log.append((0..100).map(|_| update(&text)).collect(), NOW).unwrap());
    fill();
    let after_once = bytes();
    (0..4).for_each(|_| fill());
    assert_eq!(bytes(), after_once, "25,000 entries were appended, 1,000 are held");
    assert_eq!(log.bounds(), Bounds { oldest: Offset(24_001), head: Offset(25_000) });
}

#[test]
fn a_log_is_open_once() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), KEEP_ALL);
    assert!(matches!(DiskLog::open(dir.path(), KEEP_ALL), Err(LogError::InUse)));
    drop(log);
    open(dir.path(), KEEP_ALL);
}

#[test]
fn a_directory_is_made_and_one_that_cannot_be_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    open(&dir.path().join("not/yet/there"), KEEP_ALL);
    std::fs::write(dir.path().join("file"), "").unwrap();
    for taken in ["file", "file/below"] {
        assert!(matches!(DiskLog::open(&dir.path().join(taken), KEEP_ALL), Err(LogError::Io(_))), "{taken}");
    }
    std::fs::create_dir_all(dir.path().join("odd/log.redb")).unwrap();
    assert!(matches!(DiskLog::open(&dir.path().join("odd"), KEEP_ALL), Err(LogError::Io(_))), "the log is a directory");
}

#[test]
fn a_journal_of_another_log_is_put_aside() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    append(&open(dir.path(), KEEP_ALL), &["mine"]);
    let foreign = open(other.path(), KEEP_ALL);
    append(&foreign, &["1", "2", "3"]);
    std::fs::copy(other.path().join("log.journal"), dir.path().join("log.journal")).unwrap();
    let log = open(dir.path(), KEEP_ALL);
    assert_eq!(data(&log), ["mine"]);
    let names = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("log.journal.foreign-")).count(), 1, "it is kept");
    append(&log, &["more"]);
    assert_eq!(data(&log), ["mine", "more"]);
}

#[test]
fn what_only_the_journal_has_is_there_again() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = open(dir.path(), KEEP_ALL);
    log.append(vec![update_with_id("1", "own"), update("2")], NOW).unwrap();
    append(&log, &["3"]);
    // As a process leaves it that is killed.
    for name in ["log.redb", "log.journal"] {
        std::fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let expected = walk(&log, Offset::ZERO).unwrap();
    for _ in 0..2 {
        let again = open(copy.path(), KEEP_ALL);
        assert_eq!(walk(&again, Offset::ZERO).unwrap(), expected, "with the positions that were acknowledged");
        assert_eq!(locate(&again, "own"), Some(1));
    }
    std::fs::remove_file(copy.path().join("log.journal")).unwrap();
    assert_eq!(data(&open(copy.path(), KEEP_ALL)), ["1", "2", "3"], "by then the database has it too");
}
