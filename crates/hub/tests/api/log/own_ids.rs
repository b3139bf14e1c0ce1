//! Publishers' own IDs: one that occurs twice is told, and one that nobody may see is as good as none.
use super::*;
use fanfare_hub::{
    gap::GapReason::{self, *},
    log::{MemoryLog, erase::Erase},
    topic::matcher::Matcher,
};

fn published(topic: &str, id: &str, private: bool) -> Update {
    let topics = vec![Topic::new(topic).unwrap()];
    let fields = UpdateFields { topics, id: Some(id.into()), private, ..UpdateFields::default() };
    Update::new(fields).unwrap()
}

fn key(topics: &[&str], granted: &[&str]) -> AudienceKey {
    let set = |texts: &[&str]| texts.iter().map(|text| Matcher::legacy_selector(text).unwrap()).collect::<Matchers>();
    AudienceKey::new(set(topics), set(granted), Representation::EventStream)
}

fn on_each(retention: &Retention, check: impl Fn(&dyn Log)) {
    check(&MemoryLog::new(retention.clone()));
    let dir = tempfile::tempdir().unwrap();
    check(&SegmentLog::open_with(dir.path(), retention.clone(), 1 << 10).unwrap());
}

fn place(log: &dyn Log, id: &str, key: &AudienceKey) -> (u64, Option<GapReason>) {
    let Resolved { after, gap } = cursor::resolve(log, id, key, NOW).unwrap();
    (after.0, gap)
}

/// Subscribed to, granted, the ID that is presented, the place that it names, and what it shows.
type Case = (&'static [&'static str], &'static [&'static str], &'static str, (u64, Option<GapReason>), &'static str);

#[test]
fn an_id_means_what_the_subscriber_can_have_seen() {
    on_each(&KEEP_ALL, |log| {
        let updates = [
            ("a", "1", false),
            ("a", "2", false),
            ("a", "3", false),
            ("a", "1", false),
            ("a", "2", false),
            ("b", "3", false),
            ("b", "only-b", false),
            ("c", "secret", true),
            ("a", "half", false),
            ("c", "half", true),
            ("b", "both", false),
            ("a", "both", false),
        ];
        for (topic, id, private) in updates {
            log.append(vec![published(topic, id, private)], NOW).unwrap();
        }
        let cases: &[Case] = &[
            (&["a"], &[], "2", (2, Some(Ambiguous)), "a publisher that began again: the oldest"),
            (&["a"], &[], "3", (3, None), "that of another topic is not this one"),
            (&["b"], &[], "3", (6, None), "and the other way round"),
            (&["a", "b"], &[], "3", (3, Some(Ambiguous)), "it may have been either"),
            (&["a"], &[], "only-b", (7, Some(Ambiguous)), "there is one sequence, so it is a place"),
            (&["a"], &[], "secret", (0, Some(Unknown)), "nobody without a grant learns that it exists"),
            (&["c"], &[], "secret", (0, Some(Unknown)), "nor if it asks for that topic"),
            (&["c"], &["c"], "secret", (8, None), "who is granted it has seen it"),
            (&["a"], &["c"], "secret", (8, Some(Ambiguous)), "granted, and not asked for"),
            (&["a"], &[], "half", (9, None), "the private one does not count for others"),
            (&["a", "c"], &["c"], "half", (9, Some(Ambiguous)), "for this one it does"),
            (&["{x}"], &[], "both", (11, Some(Ambiguous)), "a pattern has both"),
            (&["a"], &[], "both", (12, None), "once within what is asked for"),
            (&["a"], &[], "never", (0, Some(Unknown)), "it never was"),
        ];
        for (topics, granted, id, expected, why) in cases {
            assert_eq!(place(log, id, &key(topics, granted)), *expected, "{topics:?} {granted:?} {id}: {why}");
        }
    });
}

/// A subscriber may have seen the older one, which is gone.
#[test]
fn an_id_that_was_discarded_and_used_again_is_ambiguous() {
    on_each(&Retention { count: Some(12), ..KEEP_ALL }, |log| {
        let append = |id: &str| drop(log.append(vec![published("a", id, false)], NOW).unwrap());
        append("again");
        (0..20).for_each(|number| append(&format!("fill-{number}")));
        append("again");
        append("once");
        discard_all(log, NOW);
        let everybody = key(&["a"], &[]);
        assert_eq!(place(log, "again", &everybody), (22, Some(Ambiguous)));
        assert_eq!(place(log, "once", &everybody), (23, None));
        assert_eq!(place(log, "fill-3", &everybody), (11, Some(Unknown)), "it is gone and was not used again");
    });
}

/// It stays so over a restart, and when the segment with the older one is long gone.
#[test]
fn discarded_ids_are_remembered_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let retention = Retention { count: Some(5), ..KEEP_ALL };
    let open = || SegmentLog::open_with(dir.path(), retention.clone(), 1 << 10).unwrap();
    let log = open();
    for number in 0..100 {
        log.append(vec![published("a", &format!("own-{number}"), false)], NOW).unwrap();
    }
    discard_all(&log, NOW);
    drop(log);
    let log = open();
    log.append(vec![published("a", "own-7", false), published("a", "new", false)], NOW).unwrap();
    discard_all(&log, NOW);
    let everybody = key(&["a"], &[]);
    assert_eq!(place(&log, "own-7", &everybody), (101, Some(Ambiguous)));
    assert_eq!(place(&log, "new", &everybody), (102, None));
}

#[test]
fn what_was_erased_keeps_its_place() {
    on_each(&KEEP_ALL, |log| {
        let update = [published("a", "public", false), published("a", "private", true), published("a", "last", false)];
        log.append(update.into(), NOW).unwrap();
        let topic = Topic::new("a").unwrap();
        let erase = Erase { topic: Some(&topic), id: None, before: None, may: &|_| true };
        assert_eq!(log.erase(&erase, NOW).unwrap().erased, 3);
        assert_eq!(place(log, "public", &key(&["a"], &[])), (1, None), "who presents it goes on from there");
        assert_eq!(place(log, "private", &key(&["a"], &[])), (0, Some(Unknown)), "strangers learn nothing");
        assert_eq!(place(log, "private", &key(&["a"], &["a"])), (2, None));
    });
}
