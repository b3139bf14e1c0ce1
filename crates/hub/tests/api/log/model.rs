//! Whatever is done to them, the log on disk and the one in memory are the same log.
use super::*;
use fanfare_hub::log::MemoryLog;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// Appends one batch of updates with these IDs of the publisher's own, some of them none.
    Append(Vec<u8>),
    /// Lets this many milliseconds pass, and discards.
    Wait(u64),
    /// Closes the log on disk and opens it again.
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => prop::collection::vec(0_u8..6, 0..8).prop_map(Step::Append),
        2 => (0_u64..40).prop_map(Step::Wait),
        1 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..25)
}

fn retention() -> impl Strategy<Value = Retention> {
    let limit = |most: u64| prop::option::of(0..most);
    (limit(60), limit(2_000), limit(20)).prop_map(|(age_ms, bytes, count)| Retention { age_ms, bytes, count })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn both_are_the_same_log(retention in retention(), steps in steps()) {
        let dir = tempfile::tempdir().unwrap();
        let memory = MemoryLog::new(retention);
        let mut disk = open(dir.path(), retention);
        let mut now = NOW;
        for step in steps {
            match step {
                Step::Append(ids) => {
                    let id = |id: &u8| if *id < 3 { String::new() } else { format!("own-{id}") };
                    let batch: Vec<_> = ids.iter().map(|number| update_with_id(&"x".repeat(usize::from(*number)), &id(number))).collect();
                    memory.append(batch.clone(), now).unwrap();
                    disk.append(batch, now).unwrap();
                }
                Step::Wait(ms) => now.0 += ms,
                Step::Reopen => {
                    drop(disk);
                    disk = open(dir.path(), retention);
                }
            }
            for log in [&memory as &dyn Log, &disk] {
                while log.discard(now).unwrap() > 0 {}
            }
            prop_assert_eq!(memory.bounds(), disk.bounds());
            for id in 3..6 {
                let id = format!("own-{id}");
                prop_assert_eq!(locate(&memory, &id), locate(&disk, &id), "{}", id);
            }
            let limit = ReadLimit { entries: 7, bytes: 500 };
            for after in memory.bounds().oldest.0 - 1..=memory.bounds().head.0 {
                let places = |log: &dyn Log| -> Vec<_> {
                    let run = log.read(Offset(after), limit).unwrap();
                    run.iter().map(|entry| (entry.position.offset, entry.time, entry.update.clone())).collect()
                };
                prop_assert_eq!(places(&memory), places(&disk), "after {}", after);
            }
        }
    }
}
