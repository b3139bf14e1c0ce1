//! Presence updates: they push no update of a publisher out of the log, they are bounded, and who follows them is told
//! of those that are gone.
use super::*;
use fanfare_hub::{
    Hub, HubLimits,
    log::{Bounds, MemoryLog, erase::Erase},
    subscription::Start,
    topic::{PRESENCE_TOPICS, matcher::Matcher},
};
use std::fs;

const LIMIT: PresenceLimit = PresenceLimit { bytes: 1 << 20, updates: 50 };

fn presence(number: usize) -> Update {
    let topic = Topic::new(&format!("{PRESENCE_TOPICS}exact/a/{number:06}")).unwrap();
    Update::of_hub(topic, format!("{{\"n\":{number:06}}}"), None)
}

fn arrivals(numbers: std::ops::Range<usize>) -> Vec<Update> {
    numbers.map(presence).collect()
}

/// The logs of both kinds, with the directory of the one on disk.
fn logs(retention: &Retention) -> (tempfile::TempDir, [Box<dyn Log>; 2]) {
    let dir = tempfile::tempdir().unwrap();
    let on_disk = open(dir.path(), retention.clone());
    (dir, [Box::new(MemoryLog::new(retention.clone())), Box::new(on_disk)])
}

/// The data of the updates of publishers behind `after`, which are all there.
fn published(log: &dyn Log, after: Offset) -> Vec<String> {
    let (entries, holes) = walk(log, after).unwrap();
    assert_eq!(holes, []);
    let published = entries.iter().filter(|entry| !entry.update.is_of_presence());
    published.map(|entry| entry.update.data().to_owned()).collect()
}

/// The presence updates behind `after` that the log has, and those that it says are gone.
fn told(log: &dyn Log, mut after: Offset) -> (Vec<u64>, Vec<u64>) {
    let (mut there, mut gone) = (Vec::new(), Vec::new());
    loop {
        let query = Query { after, until: Offset(u64::MAX), topics: None, now: NOW, limit: UNLIMITED };
        let read = log.read(&query).unwrap();
        if read.up_to == after {
            return (there, gone);
        }
        for found in &read.found {
            match found {
                Found::Entry(entry) if entry.update.is_of_presence() => there.push(entry.position.offset.0),
                Found::PresenceLost(first, last) => gone.extend(first.0..=last.0),
                _ => {}
            }
        }
        after = read.up_to;
    }
}

#[test]
fn strangers_push_nothing_out() {
    let retention = Retention { count: Some(200), presence: LIMIT, ..KEEP_ALL };
    let texts: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    let (dir, logs) = logs(&retention);
    for log in &logs {
        let first = append(&**log, &texts.iter().map(String::as_str).collect::<Vec<_>>()).remove(0);
        for number in 0..40 {
            log.append(arrivals(100 * number..100 * (number + 1)), NOW).unwrap();
        }
        discard_all(&**log, NOW);
        assert_eq!(resolve(&**log, first.id().as_str()), Resolved { after: Offset(1), gap: None });
        assert_eq!(published(&**log, Offset(1)), texts[1..]);
        assert_eq!(log.bounds().held, 100);
        assert_eq!(told(&**log, Offset(0)), ((4_051..=4_100).collect(), (101..=4_050).collect()));
    }
    drop(logs);
    let log = open(dir.path(), retention);
    assert_eq!(published(&log, Offset(1)), texts[1..]);
    assert_eq!(log.bounds().held, 100);
    assert_eq!(told(&log, Offset(0)), ((4_051..=4_100).collect(), (101..=4_050).collect()), "after a clean end");
}

/// A log with presence updates keeps exactly the updates of publishers that a log without them keeps.
#[test]
fn each_limit_is_kept_as_if_nobody_came() {
    let size = (RECORD_BYTES + "orders/1".len() + 3) as u64;
    for retention in [
        Retention { count: Some(20), ..KEEP_ALL },
        Retention { bytes: Some(20 * size), ..KEEP_ALL },
        Retention { bytes: Some(20 * size - 1), ..KEEP_ALL },
        Retention { count: Some(0), ..KEEP_ALL },
        KEEP_ALL,
    ] {
        let retention = Retention { presence: LIMIT, ..retention };
        let (dir, [memory, on_disk]) = logs(&retention);
        let (mut on_disk, alone) = (Some(on_disk), MemoryLog::new(retention.clone()));
        for number in 0..60 {
            let mut batch = arrivals(10 * number..10 * number + number % 4);
            batch.insert(batch.len() / 2, update(&format!("{number:03}")));
            append(&alone, &[&format!("{number:03}")]);
            if number % 20 == 19 {
                on_disk = None;
            }
            let on_disk = on_disk.get_or_insert_with(|| Box::new(open(dir.path(), retention.clone())));
            for log in [&memory, &*on_disk] {
                log.append(batch.clone(), NOW).unwrap();
                discard_all(&**log, NOW);
                discard_all(&alone, NOW);
                assert_eq!(published(&**log, log.bounds().floor()), data(&alone), "{retention:?} {number}");
                assert_eq!(log.bounds().held, alone.bounds().held);
            }
        }
    }
}

#[test]
fn old_presence_updates_go_with_the_others() {
    let (_dir, logs) = logs(&Retention { age_ms: Some(1_000), ..KEEP_ALL });
    for log in &logs {
        log.append(arrivals(0..3), NOW).unwrap();
        log.append(vec![update("a")], Timestamp(NOW.0 + 10)).unwrap();
        log.append(arrivals(3..5), Timestamp(NOW.0 + 20)).unwrap();
        discard_all(&**log, Timestamp(NOW.0 + 1_015));
        assert_eq!(log.bounds().oldest, Offset(5));
        assert_eq!(told(&**log, Offset(4)), (vec![5, 6], vec![]));
        discard_all(&**log, Timestamp(NOW.0 + 1_021));
        assert_eq!(log.bounds(), Bounds { oldest: Offset(7), head: Offset(6), held: 0, presence: 0 });
    }
}

/// A run of presence updates is one record. A time within it is found all the same: nobody gets older updates, or is
/// told of a gap among them.
#[test]
fn a_time_within_a_run_is_found() {
    let retention = Retention { presence: PresenceLimit { updates: 4, ..LIMIT }, ..KEEP_ALL };
    let (dir, memory) = (tempfile::tempdir().unwrap(), MemoryLog::new(retention.clone()));
    let on_disk = open(dir.path(), retention);
    let at = |ms: u64| Timestamp(NOW.0 + ms);
    let place = |log: &dyn Log, ms: u64| log.place_at(at(ms)).unwrap().0;
    for log in [&memory as &dyn Log, &on_disk] {
        append(log, &["a"]);
        (1..=8).for_each(|number| _ = log.append(arrivals(0..1), at(10 * number)).unwrap());
        log.append(vec![update("b")], at(90)).unwrap();
    }
    // Makes one record of the run.
    on_disk.remove_dead().unwrap();
    for log in [&memory as &dyn Log, &on_disk] {
        // The updates from 2 to 5 are gone, so their times are not known any more.
        assert_eq!([1, 50].map(|ms| place(log, ms)), [1, 1]);
        assert_eq!([51, 60, 61, 80, 81, 91].map(|ms| place(log, ms)), [6, 6, 7, 8, 9, 10]);
        assert_eq!(told(log, Offset(place(log, 61))), (vec![8, 9], vec![]));
    }
}

/// Everything that a subscriber gets of what the log holds.
async fn gets(hub: &Hub, matchers: &[Matcher], granted: &[Matcher], after: &str) -> String {
    let (matchers, granted) = (matchers.iter().cloned().collect(), granted.iter().cloned().collect());
    let key = AudienceKey::new(matchers, granted, Representation::EventStream);
    let opening = hub.open(key, Start::After(after.to_owned())).await.unwrap();
    let mut replay = opening.without_start_events().replay(false).await;
    let mut text = String::new();
    while let Some(run) = replay.next().await.unwrap() {
        text.push_str(str::from_utf8(&run).unwrap());
    }
    text
}

/// Whoever follows presence is told of a gap if presence updates are gone, whichever matcher it has. Nobody else is.
#[tokio::test]
async fn who_follows_presence_is_told_what_is_gone() {
    let hub_url = url::Url::parse("https://hub.example/.well-known/mercure").unwrap();
    let exact = |text: &str| Matcher::exact(text).unwrap();
    let template = |text: &str| Matcher::legacy_selector(text).unwrap();
    let pattern = |text: &str| Matcher::url_pattern(text, &hub_url).unwrap();
    let one = presence(0).topics()[0].to_string();
    let all = [Matcher::any()];
    let followers = [
        Matcher::any(),
        exact(&one),
        template(&format!("{PRESENCE_TOPICS}{{+rest}}")),
        template(&format!("{PRESENCE_TOPICS}exact/a/{{subscriber}}")),
        template("{+anything}"),
        template("/{first}{/more*}"),
        pattern("/.well-known/mercure/subscriptions/*"),
        pattern("/.well-known/mercure/:which/exact/a/:subscriber"),
        pattern("https://hub.example/*"),
    ];
    let others = [
        exact("orders/1"),
        exact("/.well-known/mercure/subscriptions"),
        template("orders/{id}"),
        template("/{id}"),
        template("/.well-known/other/{id}"),
        pattern("/orders/:id"),
        pattern("/:id"),
        pattern("https://other.example/*"),
        pattern("/.well-known/mercure"),
    ];
    let (_dir, logs) = logs(&Retention { presence: LIMIT, ..KEEP_ALL });
    for log in logs {
        let first = append(&*log, &["first"]).remove(0).id().to_string();
        let mut ids = Vec::new();
        for number in 0..20 {
            ids.extend(log.append(arrivals(10 * number..10 * (number + 1)), NOW).unwrap());
        }
        append(&*log, &["last"]);
        let hub = Hub::start(Arc::from(log), &HubLimits::default()).unwrap();
        let at = |place: usize| ids[place].id().to_string();
        for follower in &followers {
            let text = gets(&hub, std::slice::from_ref(follower), &all, &first).await;
            let gap = format!("\"requested\":\"{first}\",\"resumed_from\":\"{}\",\"reason\":\"discarded\"", at(149));
            assert_eq!((text.matches("fanfare.gap").count(), text.contains(&gap)), (1, true), "{follower}: {text}");
            assert!(text.contains(&gap), "{follower}: {text}");
            // In the middle of what is gone, and at its end.
            let text = gets(&hub, std::slice::from_ref(follower), &all, &at(100)).await;
            assert!(text.contains(&format!("\"requested\":\"{}\"", at(100))), "{follower}: {text}");
            let text = gets(&hub, std::slice::from_ref(follower), &all, &at(149)).await;
            assert!(!text.contains("fanfare.gap"), "{follower}: {text}");
            let text = gets(&hub, std::slice::from_ref(follower), &[exact("orders/1")], &first).await;
            assert!(!text.contains("fanfare.gap"), "nothing of presence is granted to {follower}: {text}");
        }
        for other in &others {
            let text = gets(&hub, std::slice::from_ref(other), &all, &first).await;
            assert!(!text.contains("fanfare.gap"), "{other}: {text}");
        }
        let text = gets(&hub, &[exact("orders/1")], &all, &first).await;
        assert!(text.contains("data: last"), "{text}");
    }
}

/// A hub that is killed has the presence updates of its run no more: who follows presence is told so, nobody else is.
#[test]
fn after_a_kill_they_are_gone_and_that_is_told() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = open(dir.path(), Retention { presence: LIMIT, ..KEEP_ALL });
    append(&log, &["a"]);
    log.append(arrivals(0..10), NOW).unwrap();
    for file in fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let killed = open(copy.path(), Retention { presence: LIMIT, ..KEEP_ALL });
    assert_eq!(told(&killed, Offset(0)), (vec![], (2..=11).collect()));
    assert_eq!(published(&killed, Offset(0)), ["a"]);
    append(&killed, &["b"]);
    assert_eq!(published(&killed, Offset(0)), ["a", "b"]);
    // What another log has written beside it is not taken for its own.
    drop((log, killed));
    assert!(dir.path().join("presence").is_file());
    fs::copy(dir.path().join("presence"), copy.path().join("presence")).unwrap();
    let log = open(copy.path(), Retention { presence: LIMIT, ..KEEP_ALL });
    assert_eq!(told(&log, Offset(0)), ((2..=11).collect(), vec![]), "it is the same run");
    log.append(arrivals(0..1), NOW).unwrap();
    assert!(!copy.path().join("presence").exists(), "it goes with the first append");
}

/// What is erased comes back neither from memory nor from the file.
#[test]
fn erased_presence_updates_stay_erased() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let log = open(dir.path(), KEEP_ALL);
    log.append(arrivals(0..3), NOW).unwrap();
    drop(log);
    let log = open(dir.path(), KEEP_ALL);
    let topic = presence(1).topics()[0].clone();
    let erase = Erase { topic: Some(&topic), id: None, before: None, may: &|_| true };
    assert_eq!(log.erase(&erase, NOW).unwrap().erased, 1);
    assert_eq!(told(&log, Offset(0)), (vec![1, 3], vec![]), "nobody needs to know");
    for file in fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    assert_eq!(told(&open(copy.path(), KEEP_ALL), Offset(0)), (vec![], vec![1, 2, 3]), "after a kill");
    drop(log);
    assert_eq!(told(&open(dir.path(), KEEP_ALL), Offset(0)), (vec![1, 3], vec![2]), "after a clean end");
}
