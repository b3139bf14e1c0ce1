//! Tests that every engine passes.
use super::*;
use fanfare_hub::{
    log::{Bounds, MemoryLog},
    update::MAX_RETRY_MS,
};

/// Makes a log that keeps what it is told to.
type Engine<'a> = &'a dyn Fn(Retention) -> Box<dyn Log>;

macro_rules! on_each_engine {
    ($($test:ident),* $(,)?) => {
        mod memory {
            $(#[test]
            fn $test() {
                super::$test(&|retention| Box::new(super::MemoryLog::new(retention)));
            })*
        }
        mod segments {
            $(#[test]
            fn $test() {
                let dir = tempfile::tempdir().unwrap();
                super::$test(&|retention| {
                    let dir = tempfile::tempdir_in(&dir).unwrap().keep();
                    Box::new(super::open(&dir, retention))
                });
            })*
        }
    };
}

on_each_engine!(
    offsets_are_dense_and_entries_come_back_whole,
    a_read_ends_at_its_limits,
    an_id_means_its_oldest_entry_held,
    count_is_kept_to_the_entry,
    bytes_are_kept_to_the_byte,
    age_is_kept_to_the_millisecond,
    discarding_is_done_in_bounded_steps,
    an_empty_log_remembers_its_head,
    nothing_is_kept_if_nothing_may_be,
);

fn offsets_are_dense_and_entries_come_back_whole(engine: Engine<'_>) {
    let log = engine(KEEP_ALL);
    assert_eq!(log.bounds(), Bounds { oldest: Offset(1), head: Offset(0), held: 0, presence: 0 });
    assert_eq!(read(&*log, Offset::ZERO, UNLIMITED), []);
    let everything = Update::new(UpdateFields {
        topics: vec![Topic::new("a").unwrap(), Topic::new("https://example.org/ä").unwrap()],
        data: "two\nlines \u{1F600}".into(),
        id: Some("urn:x:1".into()),
        event_type: Some("created".into()),
        retry_ms: Some(MAX_RETRY_MS),
        ttl_ms: Some(u64::MAX),
        private: true,
    });
    let mut appended = log.append(vec![everything.unwrap(), update("")], NOW).unwrap();
    appended.extend(append(&*log, &["b"]));
    for (place, entry) in (1..).zip(&appended) {
        assert_eq!(entry.position.offset, Offset(place));
        assert_eq!(entry.position.epoch, log.epochs().current());
        assert_eq!(entry.time, NOW);
    }
    assert_eq!(appended[0].id().as_str(), "urn:x:1");
    assert_eq!(appended[1].id().as_str(), format!("#{}-2", log.epochs().current()));
    for after in 0..=3 {
        assert_eq!(
            read(&*log, Offset(after as u64), UNLIMITED),
            appended.iter().skip(after).cloned().collect::<Vec<_>>(),
            "after {after}"
        );
    }
    assert_eq!(read(&*log, Offset(u64::MAX), UNLIMITED), []);
    assert_eq!(log.append(vec![], NOW).unwrap(), []);
    assert_eq!(log.bounds(), Bounds { oldest: Offset(1), head: Offset(3), held: 3, presence: 0 });
}

fn a_read_ends_at_its_limits(engine: Engine<'_>) {
    let log = engine(KEEP_ALL);
    append(&*log, &["a", "b", "c"]);
    // The size of a record is that of its texts and 62 bytes.
    let size = RECORD_BYTES + "orders/1".len() + 1;
    let limits = [
        ((3, usize::MAX), 3),
        ((2, usize::MAX), 2),
        ((1, usize::MAX), 1),
        ((0, usize::MAX), 1),
        ((9, 3 * size), 3),
        ((9, 3 * size - 1), 2),
        ((9, 0), 1),
    ];
    for ((entries, bytes), count) in limits {
        let found = read(&*log, Offset::ZERO, ReadLimit { entries, bytes });
        assert_eq!(found.len(), count, "{entries} entries, {bytes} bytes");
    }
}

fn an_id_means_its_oldest_entry_held(engine: Engine<'_>) {
    let log = engine(Retention { count: Some(3), ..KEEP_ALL });
    let ids = ["twice", "", "twice", "twic", "twice2"];
    log.append(ids[..3].iter().map(|id| update_with_id("x", id)).collect(), NOW).unwrap();
    assert_eq!(locate(&*log, "twice"), Some(1));
    log.append(vec![update_with_id("x", ids[3])], NOW).unwrap();
    discard_all(&*log, NOW);
    assert_eq!(locate(&*log, "twice"), Some(3), "the first is discarded");
    log.append(vec![update_with_id("x", ids[4]), update(""), update("")], NOW).unwrap();
    discard_all(&*log, NOW);
    assert_eq!(locate(&*log, "twice"), None);
    assert_eq!(locate(&*log, "twic"), None);
    assert_eq!(locate(&*log, "twice2"), Some(5));
    assert_eq!(locate(&*log, ""), None, "no entry has it");
    let made = read(&*log, Offset(5), UNLIMITED)[0].id().clone();
    assert_eq!(locate(&*log, made.as_str()), None, "the hub's own IDs need no index");
}

fn count_is_kept_to_the_entry(engine: Engine<'_>) {
    let log = engine(Retention { count: Some(3), ..KEEP_ALL });
    append(&*log, &["1", "2", "3"]);
    assert_eq!(log.discard(NOW).unwrap(), 0);
    assert_eq!(data(&*log), ["1", "2", "3"]);
    append(&*log, &["4"]);
    discard_all(&*log, NOW);
    assert_eq!(data(&*log), ["2", "3", "4"]);
    append(&*log, &["5", "6", "7", "8"]);
    discard_all(&*log, NOW);
    assert_eq!(data(&*log), ["6", "7", "8"]);
}

fn bytes_are_kept_to_the_byte(engine: Engine<'_>) {
    let size = (RECORD_BYTES + "orders/1".len() + 1) as u64;
    let log = engine(Retention { bytes: Some(3 * size), ..KEEP_ALL });
    append(&*log, &["1", "2", "3"]);
    discard_all(&*log, NOW);
    assert_eq!(data(&*log), ["1", "2", "3"]);
    append(&*log, &["44"]);
    discard_all(&*log, NOW);
    assert_eq!(data(&*log), ["3", "44"], "one byte too many for three");
    append(&*log, &[&"5".repeat(300)]);
    discard_all(&*log, NOW);
    assert_eq!(data(&*log), [""; 0], "it is larger than the log may be");
}

fn age_is_kept_to_the_millisecond(engine: Engine<'_>) {
    let log = engine(Retention { age_ms: Some(1_000), ..KEEP_ALL });
    log.append(vec![update("old")], Timestamp(5_000)).unwrap();
    log.append(vec![update("new")], Timestamp(5_001)).unwrap();
    for (now, held) in [(4_000, 2), (5_500, 2), (6_000, 2), (6_001, 1), (6_002, 0)] {
        discard_all(&*log, Timestamp(now));
        assert_eq!(data(&*log).len(), held, "at {now}");
    }
}

fn discarding_is_done_in_bounded_steps(engine: Engine<'_>) {
    let log = engine(Retention { age_ms: Some(1_000), ..KEEP_ALL });
    log.append((0..5_000).map(|_| update_with_id("x", "same")).collect(), NOW).unwrap();
    let later = Timestamp(NOW.0 + 1_001);
    let (mut steps, mut discarded) = (0, 0);
    loop {
        let step = log.discard(later).unwrap();
        assert!(step <= 2_000, "{step} at once");
        if step == 0 {
            break;
        }
        (steps, discarded) = (steps + 1, discarded + step);
    }
    assert!(steps > 1);
    assert_eq!(discarded, 5_000);
    assert_eq!(locate(&*log, "same"), None);
}

fn an_empty_log_remembers_its_head(engine: Engine<'_>) {
    let log = engine(Retention { age_ms: Some(0), ..KEEP_ALL });
    append(&*log, &["1", "2"]);
    discard_all(&*log, Timestamp(NOW.0 + 1));
    assert_eq!(log.bounds(), Bounds { oldest: Offset(3), head: Offset(2), held: 0, presence: 0 });
    assert_eq!(append(&*log, &["3"])[0].position.offset, Offset(3));
    assert_eq!(log.bounds(), Bounds { oldest: Offset(3), head: Offset(3), held: 1, presence: 0 });
}

fn nothing_is_kept_if_nothing_may_be(engine: Engine<'_>) {
    let log = engine(Retention { count: Some(0), ..KEEP_ALL });
    for offset in 1..5 {
        assert_eq!(append(&*log, &["x"])[0].position.offset, Offset(offset));
        discard_all(&*log, NOW);
        assert_eq!(log.bounds(), Bounds { oldest: Offset(offset + 1), head: Offset(offset), held: 0, presence: 0 });
        assert_eq!(read(&*log, Offset::ZERO, UNLIMITED), []);
    }
}
