//! A process that is killed while it does everything at once: segments are sealed, discarded, erased from and
//! rewritten, and the next process starts over that.
use super::{promise::*, *};
use fanfare_hub::log::erase::Erase;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader, Write as _},
    time::Duration,
};

/// The number of times that the process is killed. More by hand: `TEST_FANFARE_CRASH_ROUNDS=500`.
const ROUNDS: usize = 20;
/// A size so small that one segment is sealed with every few appends.
const SEGMENT_BYTES: u64 = 4 << 10;
const KEPT: u64 = 400;
/// One in so many is looked for by its ID.
const LOCATED: u64 = 16;

fn open_log(dir: &Path) -> SegmentLog {
    SegmentLog::open_with(dir, Retention { count: Some(KEPT), ..KEEP_ALL }, SEGMENT_BYTES).unwrap()
}

/// The process that is killed. It says what it has appended, and what it has erased.
#[test]
fn append_discard_and_erase_until_killed() {
    let Some(dir) = child::log() else { return };
    let (log, process) = (open_log(&dir), child::name());
    let mut recent: Vec<Arc<Entry>> = Vec::new();
    for number in 0_u64.. {
        let ids = (0..1 + number % 4).map(|place| format!("{process}.{number}.{place}"));
        let batch = ids.map(|id| update_with_id(&"x".repeat(20 + (number % 90) as usize), &id));
        let entries = log.append(batch.collect(), NOW).unwrap();
        entries.iter().for_each(|entry| say(entry));
        recent.extend(entries);
        if number % 3 == 0 {
            let victim = recent.remove(recent.len() * 7 / 11);
            let erase = Erase { topic: None, id: Some(victim.id()), before: None, may: &|_| true };
            // It may have been discarded.
            log.erase(&erase, NOW).unwrap();
            std::io::stdout().write_all(format!("0 {} erased\n", victim.id()).as_bytes()).unwrap();
        }
        if recent.len() > 200 {
            recent.drain(..100);
        }
    }
}

#[test]
fn nothing_is_lost_and_nothing_comes_to_light_again() {
    let rounds = std::env::var("TEST_FANFARE_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut erased) = (BTreeMap::new(), BTreeSet::new());
    for round in 0..rounds {
        let mut child =
            child::command("log::upheaval::append_discard_and_erase_until_killed", dir.path()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let listening = std::thread::spawn(move || lines.split(b'\n').map_while(Result::ok).collect::<Vec<_>>());
        std::thread::sleep(Duration::from_micros((round as u64 * 7_919) % 90_000));
        child.kill().unwrap();
        child.wait().unwrap();
        for line in listening.join().unwrap() {
            let line = String::from_utf8(line).unwrap();
            let mut words = line.split_whitespace();
            match (words.next().map(str::parse::<u64>), words.next(), words.next()) {
                (Some(Ok(0)), Some(id), Some("erased")) => drop(erased.insert(id.to_owned())),
                (Some(Ok(offset)), Some(id), Some(_)) => {
                    assert_eq!(acknowledged.insert(offset, id.to_owned()), None, "{offset} is given out twice");
                }
                _ => {}
            }
        }
        check(&open_log(dir.path()), &acknowledged, &erased, round + 1);
    }
    println!("{rounds} kills, {} acknowledged, {} erased", acknowledged.len(), erased.len());
    assert!(acknowledged.len() > rounds && !erased.is_empty(), "the children got to work");
}

fn check(log: &SegmentLog, acknowledged: &BTreeMap<u64, String>, erased: &BTreeSet<String>, rounds: usize) {
    discard_all(log, NOW);
    let bounds = log.bounds();
    let (held, holes) = walk(log, bounds.floor()).unwrap();
    assert!(held.is_sorted_by(|one, other| one.position.offset < other.position.offset));
    let of_offset: BTreeMap<u64, &Arc<Entry>> = held.iter().map(|entry| (entry.position.offset.0, entry)).collect();
    for entry in &held {
        assert!(!erased.contains(entry.id().as_str()), "{} was erased", entry.id());
    }
    let mut untold = 0;
    for (offset, id) in acknowledged.range(bounds.oldest.0..) {
        assert!(*offset <= bounds.head.0, "{offset} was acknowledged and is lost");
        let is_hole = holes.iter().any(|(first, last)| (first..=last).contains(&offset));
        assert!(!is_hole, "{offset} was acknowledged and is lost");
        match of_offset.get(offset) {
            Some(entry) => {
                assert_eq!(entry.id().as_str(), id);
                // Each asks all files with the IDs of what was discarded, and of such small segments there are many.
                assert!(offset % LOCATED > 0 || locate(log, id) == Some(*offset), "{id}");
            }
            // Of those that were to be erased, the last one of each process may not have been told.
            None => untold += usize::from(!erased.contains(id)),
        }
    }
    assert!(untold <= rounds, "{untold} are lost");
}
