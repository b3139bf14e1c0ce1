//! The promises that a process got before it died, and what has to be true of its log afterwards.
use super::*;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout},
    thread::{self, JoinHandle},
};

/// The acknowledged entries: by offset, the ID and the data.
pub type Acknowledged = BTreeMap<u64, (String, String)>;

/// Says of an entry that it is acknowledged. One write for each line: the parent reads whole lines, whenever this
/// process dies.
pub fn say(entry: &Entry) {
    let line = format!("{} {} {}\n", entry.position.offset, entry.id(), entry.update.data());
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

/// Starts the test `name` as a process on the log in `dir`, and reads what it says.
pub fn start(name: &str, dir: &Path) -> (Child, JoinHandle<Acknowledged>) {
    let mut child = child::command(name, dir).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap());
    (child, thread::spawn(move || listen(lines)))
}

fn listen(mut lines: BufReader<ChildStdout>) -> Acknowledged {
    let (mut acknowledged, mut line) = (Acknowledged::new(), String::new());
    while lines.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
        let mut words = line.split_whitespace();
        if let (Some(Ok(offset)), Some(id), Some(data)) = (words.next().map(str::parse), words.next(), words.next()) {
            acknowledged.insert(offset, (id.to_owned(), data.to_owned()));
        }
        line.clear();
    }
    acknowledged
}

/// Everybody who saw something that was acknowledged gets what followed, exactly, or is told of a gap; and no position
/// is given out again. Returns how many acknowledged updates are lost.
///
/// If `may_be_old`, the files may be as they were between two appends some time ago. Then only those can be told who
/// saw something that was appended later.
pub fn keep(log: &SegmentLog, acknowledged: &Acknowledged, may_be_old: bool) -> usize {
    let (held, holes) = walk(log, log.bounds().floor()).unwrap();
    let held: BTreeMap<u64, &Arc<Entry>> = held.iter().map(|entry| (entry.position.offset.0, entry)).collect();
    let is_lost = |offset: &u64| {
        let (id, data) = &acknowledged[offset];
        let found = held.get(offset).filter(|entry| entry.id().as_str() == id);
        assert!(found.is_none_or(|entry| entry.update.data() == data), "{id} is another update");
        found.is_none()
    };
    let end = acknowledged.keys().rev().find(|offset| !is_lost(offset)).copied().unwrap_or(0);
    let next = append(log, &["next"]).remove(0);
    assert!(acknowledged.values().all(|(id, _)| id != next.id().as_str()), "a position is given out again");
    for (offset, (id, _)) in acknowledged.iter().step_by(1 + acknowledged.len() / 300) {
        let Resolved { after, gap } = resolve(log, id);
        let is_told = gap.is_some() || holes.iter().any(|(first, _)| first > offset);
        let mut behind = acknowledged.range(offset + 1..).map(|(offset, _)| offset);
        let misses = behind.any(|offset| is_lost(offset) && (!may_be_old || *offset <= end));
        assert!(is_told || !misses, "behind {id} something is missing without a word");
        assert!(*offset <= end || gap.is_some(), "{id} is of a future that is lost");
        assert!(walk(log, after).unwrap().0.iter().any(|entry| entry.id() == next.id()), "{id} gets what comes");
    }
    acknowledged.keys().filter(|offset| is_lost(offset)).count()
}
