//! A disk that is full: nothing is acknowledged, nothing is lost, and the log goes on when there is room again.
//!
//! The limit on file sizes of a process stands for the disk: `ulimit -f`, in a shell that ignores its signal.
use super::*;
use fanfare_hub::log::erase::Erase;
use std::process::Command;

const LIMIT_BLOCKS: usize = 8 * 1024;

#[test]
fn append_until_there_is_no_room() {
    let Some(dir) = child::log() else { return };
    let log = open(&dir, Retention { age_ms: Some(1_000), ..KEEP_ALL });
    let text = "x".repeat(10_000);
    let mut appended = Vec::new();
    let error = loop {
        match log.append(vec![update(&text); 10], NOW) {
            Ok(entries) => appended.extend(entries),
            Err(error) => break error,
        }
        assert!(appended.len() < 100_000, "there is a limit");
    };
    assert!(matches!(error, LogError::Io(_)), "{error}");
    let head = appended.last().unwrap().position.offset;
    for _ in 0..3 {
        assert_eq!(log.bounds().head, head, "what failed is not there");
        assert_eq!(walk(&log, Offset::ZERO).unwrap().0, appended, "what was acknowledged is");
        assert!(log.append(vec![update(&text); 10], NOW).is_err());
        assert!(log.append(Vec::new(), NOW).unwrap_err().is_full(), "it cannot append");
    }
    // Retention makes room.
    let later = Timestamp(NOW.0 + 1_001);
    discard_all(&log, later);
    let entries = log.append(vec![update("there is room again")], later).unwrap();
    assert_eq!(entries[0].position.offset, head.next());
    drop(log);
    assert_eq!(data(&open(&dir, KEEP_ALL)), ["there is room again"]);
    println!("{} entries fitted", appended.len());
}

/// Starts where not a byte can be written: a segment has lost its index, and the last one has none yet.
#[test]
fn open_and_serve_without_room() {
    let Some(dir) = child::log() else { return };
    let log = SegmentLog::open_with(&dir, KEEP_ALL, SEGMENT_BYTES).unwrap();
    for _ in 0..3 {
        assert_eq!(data(&log), (0..30).map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(locate(&log, "own-7"), Some(8));
        assert_eq!(resolve(&log, "own-29").after, Offset(30));
        for batch in [vec![update("x")], Vec::new()] {
            let error = log.append(batch, NOW).unwrap_err();
            assert!(error.is_full(), "{error}");
        }
        let topic = Topic::new("orders/1").unwrap();
        let erase = Erase { topic: Some(&topic), id: None, before: None, may: &|_| true };
        assert!(log.erase(&erase, NOW).unwrap_err().is_full());
    }
    println!("served all");
}

/// Segments of a few entries.
const SEGMENT_BYTES: u64 = 700;

#[test]
fn a_full_disk_starts_and_serves() {
    let (dir, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = SegmentLog::open_with(dir.path(), KEEP_ALL, SEGMENT_BYTES).unwrap();
    for number in 0..30 {
        log.append(vec![update_with_id(&number.to_string(), &format!("own-{number}"))], NOW).unwrap();
    }
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), killed.path().join(file.file_name())).unwrap();
    }
    std::fs::remove_file(killed.path().join("0000000000000001.index")).unwrap();
    let text = limited("log::full_disk::open_and_serve_without_room", killed.path(), 0);
    assert!(text.contains("served all"), "{text}");
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let dir = tempfile::tempdir().unwrap();
    let text = limited("log::full_disk::append_until_there_is_no_room", dir.path(), LIMIT_BLOCKS);
    assert!(text.contains("entries fitted"), "{text}");
}

/// A directory may be full as well, and have no room for another name. Here something else has the name.
#[test]
fn a_segment_that_gets_no_name_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let log = SegmentLog::open_with(dir.path(), KEEP_ALL, SEGMENT_BYTES).unwrap();
    for head in (0..3).map(Offset) {
        // So large that a segment begins with it.
        let append = || log.append(vec![update(&"x".repeat(1_000))], NOW).map(|entries| entries[0].position.offset);
        let name = dir.path().join(format!("{:016x}.log", head.next().0));
        std::fs::create_dir(&name).unwrap();
        for _ in 0..2 {
            let error = append().unwrap_err();
            assert!(matches!(error, LogError::Io(_)), "{error}");
            assert_eq!(log.bounds().head, head);
        }
        std::fs::remove_dir(&name).unwrap();
        assert_eq!(append().unwrap(), head.next());
    }
    drop(log);
    assert_eq!(data(&open(dir.path(), KEEP_ALL)).len(), 3);
}

/// Runs a test as a process that can write no file beyond so many blocks, and returns what it says if it succeeds.
fn limited(test: &str, dir: &Path, blocks: usize) -> String {
    let child = child::command(test, dir);
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).arg(child.get_program()).args(child.get_args());
    shell.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text
}
