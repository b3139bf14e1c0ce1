//! Files that vanish, older copies, and copies that are made while the log is written.
use super::{promise::*, *};
use fanfare_hub::log::writer::Writer;
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

const SEGMENT_BYTES: u64 = 16 << 10;

/// A process that publishes until it is killed.
#[test]
fn publish_into_small_segments() {
    let Some(dir) = child::log() else { return };
    let log = SegmentLog::open_with(&dir, KEEP_ALL, SEGMENT_BYTES).unwrap();
    for number in 0.. {
        let batch = (0..1 + number % 3).map(|place| update(&format!("{number}.{place}")));
        log.append(batch.collect(), NOW).unwrap().iter().for_each(|entry| say(entry));
    }
}

fn logs(dir: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let mut logs: Vec<_> = paths.filter(|path| path.extension().is_some_and(|name| name == "log")).collect();
    logs.sort_unstable();
    logs
}

fn open_again(dir: &Path) -> SegmentLog {
    SegmentLog::open_with(dir, KEEP_ALL, SEGMENT_BYTES).unwrap()
}

#[test]
fn the_last_file_is_removed_after_a_kill() {
    let mut lost = 0;
    for round in 1..=5 {
        let dir = tempfile::tempdir().unwrap();
        let (mut child, listening) = start("log::vanished::publish_into_small_segments", dir.path());
        let begun = Instant::now();
        while logs(dir.path()).len() <= round && begun.elapsed() < crate::fixture::PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Until something in the last one is acknowledged.
        std::thread::sleep(Duration::from_millis(20));
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = listening.join().unwrap();
        fs::remove_file(logs(dir.path()).last().unwrap()).unwrap();
        let log = open_again(dir.path());
        assert!(!log.recovery().was_clean);
        let is_missed = log.recovery().missing.is_some();
        let gone = keep(&log, &acknowledged, false);
        assert!(is_missed || gone == 0, "it is known that a file is missing");
        lost += gone;
        drop(log);
        keep(&open_again(dir.path()), &acknowledged, false);
    }
    assert!(lost > 0, "something was in them");
    println!("5 last files removed: {lost} updates lost, all told");
}

/// Copies in each order, with time between two files, as a backup program does it that knows nothing of the log.
#[test]
fn a_copy_of_the_files_one_by_one_under_load() {
    for order in ["from the oldest", "from the newest", "the sealed ones last"] {
        let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (mut child, listening) = start("log::vanished::publish_into_small_segments", dir.path());
        let begun = Instant::now();
        while logs(dir.path()).len() < 4 && begun.elapsed() < crate::fixture::PATIENCE {
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut files: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort_unstable();
        match order {
            "from the newest" => files.reverse(),
            "the sealed ones last" => files.sort_by_key(|file| file.extension().is_some_and(|name| name == "index")),
            _ => {}
        }
        for file in files {
            // A file may be gone by now, as others are that take its name when they are whole.
            _ = fs::copy(&file, copy.path().join(file.file_name().unwrap()));
            std::thread::sleep(Duration::from_millis(10));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = listening.join().unwrap();
        let log = open_again(copy.path());
        let lost = keep(&log, &acknowledged, true);
        println!("{order}: {} acknowledged, {lost} are not in the copy", acknowledged.len());
        drop(log);
        keep(&open_again(copy.path()), &acknowledged, true);
    }
}

/// Updates in files that nobody finds again must not be acknowledged.
#[tokio::test]
async fn files_that_vanish_under_a_log_stop_it() {
    type Vanish = fn(&Path);
    let vanish: [(&str, Vanish); 4] = [
        ("the last segment", |dir| fs::remove_file(logs(dir).last().unwrap()).unwrap()),
        ("the first segment", |dir| fs::remove_file(&logs(dir)[0]).unwrap()),
        ("all files", |dir| fs::read_dir(dir).unwrap().for_each(|file| fs::remove_file(file.unwrap().path()).unwrap())),
        ("the directory, with another in its place", |dir| {
            fs::rename(dir, dir.with_extension("old")).unwrap();
            fs::create_dir(dir).unwrap();
        }),
    ];
    for (what, vanish) in vanish {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("log");
        let log = Arc::new(open_again(&dir));
        let writer = Writer::start(log.clone(), || NOW, drop).unwrap();
        for _ in 0..3 {
            writer.append(vec![update(&"x".repeat(10_000))]).await.unwrap();
        }
        vanish(&dir);
        let begun = Instant::now();
        let error = loop {
            match writer.append(vec![update("into nothing")]).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(error) => break error.to_string(),
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "{what}: it goes on");
        };
        assert!(error.contains("was removed or replaced"), "{what}: {error}");
        println!("{what}: noticed after {:?}", begun.elapsed());
        assert!(writer.append(vec![update("again")]).await.is_err(), "{what}");
    }
}

/// An update is published, although there is trouble with what is to be discarded for it.
#[test]
fn what_cannot_be_discarded_refuses_no_publication() {
    let dir = tempfile::tempdir().unwrap();
    let log = SegmentLog::open_with(dir.path(), Retention { count: Some(40), ..KEEP_ALL }, 1 << 10).unwrap();
    for number in 0..40 {
        append(&log, &[&number.to_string()]);
    }
    // The files of the first segment are open now. Its index is damaged, and cannot be made again.
    walk(&log, Offset::ZERO).unwrap();
    let first = &logs(dir.path())[0];
    fs::write(first.with_extension("index"), "damaged").unwrap();
    fs::remove_file(first).unwrap();
    assert!(log.discard(NOW).is_ok(), "nothing has to go yet");
    assert_eq!(append(&log, &["published"])[0].position.offset, Offset(41));
    assert_eq!(log.bounds().head, Offset(41));
}
