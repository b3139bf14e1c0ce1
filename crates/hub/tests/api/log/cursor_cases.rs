//! The way from a last event ID to the place to go on from.
use super::*;
use fanfare_hub::{
    gap::{GapReason, GapReason::*},
    log::MemoryLog,
    update::MAX_ID_BYTES,
};

type Case<'a> = (String, u64, Option<GapReason>, &'a str);

fn check(log: &dyn Log, cases: &[Case<'_>]) {
    for (requested, after, gap, why) in cases {
        let expected = Resolved { after: Offset(*after), gap: *gap };
        assert_eq!(resolve(log, requested), expected, "{requested}: {why}");
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn in_one_epoch() {
    let log = MemoryLog::new(Retention { count: Some(3), ..KEEP_ALL });
    let epoch = log.epochs().current();
    let own = |offset: u64| format!("#{epoch}-{offset}");
    check(
        &log,
        &[
            (text("earliest"), 0, None, "nothing was ever appended"),
            (own(0), 0, None, "the place before the first"),
            (own(1), 0, Some(Future), "there is none yet"),
            (text("x"), 0, Some(Unknown), "no such ID"),
            (text("#00000000-0"), 0, Some(ForeignEpoch), "another log's beginning is not this one's"),
        ],
    );
    log.append(["a", "b", "same", "same", "c"].map(|id| update_with_id("x", id)).into(), NOW).unwrap();
    // 3, 4 and 5 are held.
    check(
        &log,
        &[
            (text("earliest"), 2, None, "all that is held"),
            (own(5), 5, None, "the head"),
            (own(3), 3, None, "an entry"),
            (own(2), 2, None, "what follows the last one discarded is held"),
            (own(1), 2, Some(Discarded), "2 is gone"),
            (own(0), 2, Some(Discarded), "1 and 2 are gone"),
            (own(6), 5, Some(Future), "beyond the head"),
            (own(u64::MAX), 5, Some(Future), "far beyond"),
            (text("#00000000-4"), 2, Some(ForeignEpoch), "an offset alone says nothing"),
            (text("same"), 3, Some(Ambiguous), "the oldest of two"),
            (text("c"), 5, None, "the last"),
            (text("b"), 2, Some(Unknown), "discarded, and with it its ID"),
            (text(""), 2, Some(Unknown), "no ID"),
            (text("EARLIEST"), 2, Some(Unknown), "IDs are compared as they are"),
            (text("a\nb"), 2, Some(Unknown), "no ID can be that"),
            (format!("#{epoch}-03"), 2, Some(Unknown), "not as the hub spells it"),
            (format!("{epoch}-3"), 2, Some(Unknown), "not as the hub spells it"),
        ],
    );
}

/// Strangers can send any text as an ID. They need not wait for a turn to read the log if no update can have the ID.
#[test]
fn an_id_that_nobody_can_have_chosen_is_not_looked_for() {
    let log = MemoryLog::new(KEEP_ALL);
    append(&log, &["a", "b"]);
    let gap = Resolved { after: Offset::ZERO, gap: Some(Unknown) };
    let unknown = Some(gap);
    for (requested, expected) in [
        ("x".repeat(MAX_ID_BYTES), None),
        ("x".repeat(MAX_ID_BYTES + 1), unknown),
        ("x".repeat(60_000), unknown),
        (text("a\nb"), unknown),
        (text("a\0"), unknown),
        (text("a\u{7f}"), None),
        (text("#"), None),
    ] {
        assert_eq!(cursor::resolve_position(&log, &requested), expected, "{requested:?}");
        assert_eq!(resolve(&log, &requested), gap);
    }
}

#[test]
fn over_several_epochs() {
    let dir = tempfile::tempdir().unwrap();
    let session = |count: usize| {
        let log = open(dir.path(), KEEP_ALL);
        let before = log.epochs().current();
        append(&log, &vec!["x"; count]);
        assert_eq!(log.epochs().current() == before, count == 0, "an epoch begins with the first append of a run");
        log.epochs().current()
    };
    let (first, idle, second) = (session(3), session(0), session(2));
    assert_eq!(idle, first);
    let log = open(dir.path(), KEEP_ALL);
    check(
        &log,
        &[
            (format!("#{first}-0"), 0, None, "the beginning"),
            (format!("#{first}-3"), 3, None, "the last of the first epoch: what follows is the next one's"),
            (format!("#{first}-4"), 3, Some(Future), "a future that was lost: 4 was appended anew, by another epoch"),
            (format!("#{second}-2"), 2, None, "an epoch knows what came before it"),
            (format!("#{second}-5"), 5, None, "the head"),
            (format!("#{second}-6"), 5, Some(Future), "nothing was appended yet"),
        ],
    );
    let current = append(&log, &["6"])[0].position.epoch;
    check(
        &log,
        &[
            (format!("#{second}-5"), 5, None, "its last"),
            (format!("#{second}-6"), 5, Some(Future), "it is not the 6 of that epoch"),
            (format!("#{current}-5"), 5, None, "an epoch knows what came before it"),
            (format!("#{current}-6"), 6, None, "the head"),
        ],
    );
}

#[test]
fn an_epoch_whose_entries_are_gone_is_still_known() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path(), KEEP_ALL);
    let first = append(&log, &["1", "2", "3"])[0].position.epoch;
    drop(log);
    let log = open(dir.path(), Retention { count: Some(1), ..KEEP_ALL });
    append(&log, &["4", "5"]);
    discard_all(&log, NOW);
    check(
        &log,
        &[
            (format!("#{first}-2"), 4, Some(Discarded), "it was one of ours, long ago"),
            (format!("#{first}-9"), 4, Some(Future), "it was lost, and what took its place is discarded"),
        ],
    );
    assert_eq!(log.epochs().position(Offset(4)).offset, Offset(4));
}

#[test]
fn a_restored_backup_does_not_know_what_came_after_it() {
    let (dir, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    append(&open(dir.path(), KEEP_ALL), &["1", "2"]);
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), backup.path().join(file.file_name())).unwrap();
    }
    let lost = append(&open(dir.path(), KEEP_ALL), &["3", "4"]);
    let log = open(backup.path(), KEEP_ALL);
    append(&log, &["other 3", "other 4"]);
    check(&log, &[(lost[1].id().to_string(), 0, Some(ForeignEpoch), "the epoch began after the backup was made")]);
}

#[test]
fn reading_tells_holes_and_the_end() {
    let log = MemoryLog::new(Retention { count: Some(2), ..KEEP_ALL });
    let found = |after: u64| {
        let (entries, holes) = walk(&log, Offset(after)).unwrap();
        (holes, entries.len())
    };
    assert_eq!(found(0), (vec![], 0), "nothing was ever appended");
    append(&log, &["1", "2", "3", "4"]);
    let cases = [(0, vec![(1, 2)], 2), (1, vec![(2, 2)], 2), (2, vec![], 2), (3, vec![], 1), (4, vec![], 0)];
    for (after, holes, count) in cases {
        assert_eq!(found(after), (holes, count), "after {after}");
    }
    let log = MemoryLog::new(Retention { count: Some(0), ..KEEP_ALL });
    append(&log, &["1", "2"]);
    assert_eq!(walk(&log, Offset::ZERO).unwrap(), (vec![], vec![(1, 2)]), "all that followed is gone");
}
