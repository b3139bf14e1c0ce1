//! A process that is killed loses nothing that it has acknowledged.
use super::*;
use fanfare_hub::log::writer::Writer;
use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Write},
    time::Duration,
};

/// The number of times that the process is killed. More by hand: `TEST_FANFARE_CRASH_ROUNDS=500`.
const ROUNDS: usize = 20;
const PUBLISHERS: usize = 8;
const SEGMENT_BYTES: u64 = 64 << 10;
/// The number of rounds after which the whole log is looked at, and not only what came since the round before the last.
const WHOLE_ROUNDS: usize = 20;
/// One in so many is looked for by its ID.
const LOCATED: u64 = 128;

/// The process that is killed: publishes until then, and says of each update when it is acknowledged.
#[test]
fn publish_until_killed() {
    let Some(dir) = child::log() else { return };
    // Segments so small that one begins every few milliseconds.
    let log = SegmentLog::open_with(&dir, KEEP_ALL, SEGMENT_BYTES).unwrap();
    let writer = Arc::new(Writer::start(Arc::new(log), Timestamp::now, drop).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let process = child::name();
        let publishers = (0..PUBLISHERS).map(|publisher| {
            let (writer, process) = (Arc::clone(&writer), process.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    let data = format!("{process}/{publisher}/{number}");
                    let id = if number % 3 == 0 { data.as_str() } else { "" };
                    let entry = writer.append(vec![update_with_id(&data, id)]).await.unwrap().remove(0);
                    // One write per line: the parent reads whole lines, whenever this process dies.
                    let line = format!("{} {} {data}\n", entry.position.offset, entry.id());
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                }
            })
        });
        for publisher in publishers.collect::<Vec<_>>() {
            publisher.await.unwrap();
        }
    });
}

#[test]
fn every_acknowledged_update_is_found_once_and_in_order() {
    let rounds = std::env::var("TEST_FANFARE_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let (mut acknowledged, mut heads) = (HashMap::new(), [Offset::ZERO; 2]);
    for round in 0..rounds {
        let mut child = child::command("log::crash::publish_until_killed", dir.path()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        // Some are killed while they open the log, most in the middle of their work.
        let lifetime = Duration::from_micros((round as u64 * 7_919) % 120_000);
        let reading = std::thread::spawn(move || {
            let (mut read, mut line) = (Vec::new(), String::new());
            while lines.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
                let mut words = line.split_whitespace();
                if let (Some(Ok(offset)), Some(id), Some(data)) =
                    (words.next().map(str::parse::<u64>), words.next(), words.next())
                {
                    read.push((offset, (id.to_owned(), data.to_owned())));
                }
                line.clear();
            }
            read
        });
        std::thread::sleep(lifetime);
        child.kill().unwrap();
        child.wait().unwrap();
        for (offset, what) in reading.join().unwrap() {
            assert_eq!(acknowledged.insert(offset, what), None, "{offset} was acknowledged twice");
        }
        let log = SegmentLog::open_with(dir.path(), KEEP_ALL, SEGMENT_BYTES).unwrap();
        let is_whole = round < WHOLE_ROUNDS || round % WHOLE_ROUNDS == 0 || round + 1 == rounds;
        verify(&log, &acknowledged, if is_whole { Offset::ZERO } else { heads[0] });
        heads = [heads[1], log.bounds().head];
    }
    let log = open(dir.path(), KEEP_ALL);
    println!("{rounds} kills, {} acknowledged, {} in the log", acknowledged.len(), log.bounds().head);
    assert!(acknowledged.len() > rounds, "the children got to work");
}

/// Looks at what is behind `after`.
fn verify(log: &dyn Log, acknowledged: &HashMap<u64, (String, String)>, after: Offset) {
    let (entries, holes) = walk(log, after).unwrap();
    // A process that is killed in the middle of a write leaves a frame of which nobody was told.
    let acknowledged_in =
        |(first, last): &(u64, u64)| (*first..=*last).any(|offset| acknowledged.contains_key(&offset));
    assert!(!holes.iter().any(acknowledged_in), "{holes:?}");
    let mut found = 0;
    let mut last: HashMap<&str, u64> = HashMap::new();
    for entry in &entries {
        let offset = entry.position.offset.0;
        if let Some((id, data)) = acknowledged.get(&offset) {
            assert_eq!((entry.id().as_str(), entry.update.data()), (id.as_str(), data.as_str()));
            found += 1;
        }
        // One publisher's updates stand in the order in which it published them, once each.
        let (publisher, number) = entry.update.data().rsplit_once('/').unwrap();
        let number = number.parse().unwrap();
        let expected = last.get(publisher).map_or(if after == Offset::ZERO { 0 } else { number }, |last| last + 1);
        assert_eq!(number, expected, "{publisher}");
        last.insert(publisher, number);
        // Each asks all segments.
        if let Some(id) = entry.update.id().filter(|_| offset % LOCATED == 0) {
            assert_eq!(locate(log, id.as_str()), Some(offset));
        }
    }
    assert_eq!(found, acknowledged.keys().filter(|offset| **offset > after.0).count());
}
