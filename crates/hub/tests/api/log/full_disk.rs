//! A disk that is full: nothing is acknowledged, nothing is lost, and the log goes on when there is room again.
//!
//! The limit on file sizes of a process stands for the disk: `ulimit -f`, in a shell that ignores its signal.
use super::*;
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

#[test]
fn a_full_disk_is_told_and_survived() {
    if !cfg!(unix) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let child = child::command("log::full_disk::append_until_there_is_no_room", dir.path());
    let script = format!("trap '' XFSZ; ulimit -f {LIMIT_BLOCKS}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).arg(child.get_program()).args(child.get_args());
    shell.envs(child.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output = shell.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("entries fitted"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
