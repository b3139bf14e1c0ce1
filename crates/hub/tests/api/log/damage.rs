//! A damaged file: nothing that can be read is lost, and nothing that is lost goes untold.
use super::*;
use fanfare_hub::log::{
    Recovery,
    cursor::{GapReason, resolve},
};
use std::{fs, path::PathBuf};

/// A log of several epochs, with entries small and large, discarded ones, and pages that are no longer used.
struct Original {
    dir: tempfile::TempDir,
    entries: Vec<Arc<Entry>>,
}

impl Original {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut number = 0;
        for session in 0..3 {
            let log = open(dir.path(), Retention { count: Some(250), ..KEEP_ALL });
            for _ in 0..40 {
                let batch = (0..3).map(|place| {
                    number += 1;
                    let text =
                        number.to_string().repeat(1 + (number % 7) * 20 * if number % 50 == 0 { 100 } else { 1 });
                    update_with_id(&text, &if place == session { format!("own-{number}") } else { String::new() })
                });
                log.append(batch.collect(), Timestamp(NOW.0 + number as u64)).unwrap();
            }
        }
        let log = open(dir.path(), KEEP_ALL);
        let (entries, _) = walk(&log, Offset(log.bounds().oldest.0 - 1)).unwrap();
        assert_eq!(entries.len(), 250);
        Self { dir, entries }
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.dir.path().join("log.redb")).unwrap()
    }

    /// The bytes of the file of a process that was killed right after its last append.
    fn bytes_while_open(&mut self) -> Vec<u8> {
        let log = open(self.dir.path(), KEEP_ALL);
        self.entries.extend(append(&log, &["the last", "before the end"]));
        self.bytes()
    }

    /// Opens a log whose file has these bytes, beside the journal as it is, and checks all that must be true of it.
    /// Returns how many entries it has.
    fn check(&self, bytes: &[u8], what: &str) -> (usize, Option<Recovery>) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("log.redb"), bytes).unwrap();
        fs::copy(self.dir.path().join("log.journal"), dir.path().join("log.journal")).unwrap();
        let (mut log, mut recovery) =
            DiskLog::open(dir.path(), KEEP_ALL).unwrap_or_else(|error| panic!("{what}: {error}"));
        if let Err(error) = walk(&log, Offset::ZERO) {
            assert!(matches!(error, LogError::Corrupt(_)), "{what}: {error}");
            drop(log);
            (log, recovery) = DiskLog::open(dir.path(), KEEP_ALL).unwrap();
            assert!(recovery.is_some(), "{what}: damage that was seen is repaired at the next start");
        }
        if let Some(recovery) = &recovery {
            assert_eq!(fs::read(&recovery.kept_as).unwrap().len(), bytes.len(), "{what}: the damaged file is kept");
        }
        let (entries, holes) = walk(&log, Offset::ZERO).unwrap();
        let mut originals = self.entries.iter();
        for entry in &entries {
            let original = originals.find(|original| original.position == entry.position);
            assert_eq!(Some(entry), original, "{what}: what is there is what was appended, in order");
        }
        if recovery.is_none() && holes.len() <= 1 {
            assert_eq!(entries.len(), self.entries.len(), "{what}: nothing is lost in silence");
        }
        self.resume_everywhere(&log, what);
        let next = append(&log, &["afterwards"]).remove(0);
        assert!(entries.iter().all(|entry| entry.position.offset < next.position.offset));
        let saved = entries.len();
        drop(log);
        let (again, _) = walk(&open(dir.path(), KEEP_ALL), Offset::ZERO).unwrap();
        assert_eq!(again.len(), saved + 1, "{what}: what was repaired stays repaired");
        (saved, recovery)
    }

    /// Whoever saw any entry of the original gets exactly what followed, or is told of a gap.
    fn resume_everywhere(&self, log: &dyn Log, what: &str) {
        for (place, seen) in
            self.entries.iter().enumerate().step_by(7).chain([(self.entries.len() - 1, self.entries.last().unwrap())])
        {
            let resolved = resolve(log, seen.id().as_str()).unwrap();
            let (rest, holes) = walk(log, resolved.after).unwrap();
            let (first, follows) = (rest.first(), self.entries.get(place + 1));
            let told = resolved.gap.is_some() || !holes.is_empty();
            assert!(told || first == follows, "{what}: {} resumes at {first:?}", seen.id());
        }
    }
}

#[test]
fn a_file_cut_at_any_length() {
    let original = Original::new();
    let bytes = original.bytes();
    let (mut saved, mut last) = (Vec::new(), 0);
    for cut in (0..40).map(|step| bytes.len() * step / 40).chain([
        1,
        8,
        9,
        63,
        100,
        319,
        320,
        4_095,
        4_096,
        4_097,
        bytes.len() - 1,
    ]) {
        let (count, recovery) = original.check(&bytes[..cut], &format!("cut at {cut}"));
        assert!(recovery.is_some(), "cut at {cut}");
        saved.push((cut, count));
    }
    saved.sort_unstable();
    for (cut, count) in &saved {
        assert!(*count >= last, "a longer rest has no fewer entries: {cut}");
        last = *count;
    }
    assert_eq!(last, original.entries.len(), "the last byte is no entry's");
    println!("cut file, length: entries saved of 250: {saved:?}");
}

#[test]
fn a_bit_flipped_anywhere() {
    let mut original = Original::new();
    let clean = original.bytes();
    flip(&original, &clean, "closed");
    let unclean = original.bytes_while_open();
    flip(&original, &unclean, "killed");
}

/// Flips a bit in each part of the file; more of them where the file says what it is.
fn flip(original: &Original, bytes: &[u8], state: &str) {
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    let places = (0..320).step_by(5).chain((0..150).map(|step| 4_096 + (used - 4_096) * step / 150));
    let (mut flips, mut recoveries, mut lost) = (0, 0, 0);
    for (place, bit) in places.zip((0..8).cycle()) {
        let mut damaged = bytes.to_vec();
        damaged[place] ^= 1 << bit;
        let (count, recovery) = original.check(&damaged, &format!("{state}, bit {bit} of byte {place} flipped"));
        assert!(count + 1 >= original.entries.len(), "{state}: byte {place} is part of no more than one entry");
        flips += 1;
        recoveries += usize::from(recovery.is_some());
        lost += original.entries.len() - count;
    }
    println!("{state}: {flips} bits flipped, {recoveries} logs salvaged, {lost} entries lost");
}

#[test]
fn a_page_overwritten_anywhere() {
    let original = Original::new();
    let bytes = original.bytes();
    for page in 0..40 {
        let mut damaged = bytes.clone();
        let start = (bytes.len() / 4_096 * page / 40) * 4_096;
        damaged[start..start + 4_096].fill(0xff);
        original.check(&damaged, &format!("page at {start} overwritten"));
    }
}

#[test]
fn a_bit_of_the_journal_flipped() {
    let mut original = Original::new();
    let log = open(original.dir.path(), KEEP_ALL);
    let last_frame_from = 5 * 1_000;
    for _ in 0..=5 {
        original.entries.extend(append(&log, &["x".repeat(1_000).as_str()]));
    }
    let bytes = original.bytes();
    drop(log);
    let journal = original.dir.path().join("log.journal");
    let whole = fs::read(&journal).unwrap();
    // Damage to the last frame is one that was cut off: nobody can know that it was acknowledged.
    for place in (0..30).chain((30..last_frame_from).step_by(99)) {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        fs::write(&journal, damaged).unwrap();
        let (saved, recovery) = original.check(&bytes, &format!("byte {place} of the journal"));
        assert!(recovery.is_some_and(|recovery| recovery.cause.contains("journal")), "byte {place}");
        assert!(saved + 1 >= original.entries.len(), "byte {place} is part of one entry");
    }
}

#[test]
fn what_lies_behind_the_end_loses_nothing() {
    let mut original = Original::new();
    let lengthen = |original: &Original, bytes: &[u8]| {
        for more in [1, 4_095, 4_096, 100_000] {
            let mut longer = bytes.to_vec();
            longer.extend((0..more).map(|byte| (byte % 251) as u8));
            let (count, _) = original.check(&longer, &format!("{more} bytes more"));
            assert_eq!(count, original.entries.len());
        }
    };
    lengthen(&original, &original.bytes());
    let bytes = original.bytes_while_open();
    lengthen(&original, &bytes);
}

#[test]
fn a_foreign_file_is_put_aside() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log.redb");
    for (number, text) in ["", "not a log", &"something else ".repeat(10_000)].iter().enumerate() {
        fs::write(&path, text).unwrap();
        let (log, recovery) = DiskLog::open(dir.path(), KEEP_ALL).unwrap();
        let recovery = recovery.unwrap();
        assert_eq!((recovery.entries, recovery.missing), (0, 0));
        assert_eq!(fs::read_to_string(&recovery.kept_as).unwrap(), **text);
        assert_eq!(append(&log, &["x"])[0].position.offset, Offset(1));
        drop(log);
        fs::remove_file(dir.path().join("log.journal")).unwrap();
        let kept = fs::read_dir(dir.path()).unwrap().filter(|file| {
            let name: PathBuf = file.as_ref().unwrap().file_name().into();
            name.to_string_lossy().starts_with("log.redb.corrupt-")
        });
        assert_eq!(kept.count(), number + 1, "nothing is overwritten");
    }
}

#[test]
fn the_end_of_what_was_saved_is_a_gap() {
    let original = Original::new();
    let mut bytes = original.bytes();
    // The magic number of the file: every entry is still there, but nobody can know that it was the last.
    bytes[0] = b'R';
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("log.redb"), &bytes).unwrap();
    let (log, recovery) = DiskLog::open(dir.path(), KEEP_ALL).unwrap();
    let recovery = recovery.unwrap();
    assert_eq!((recovery.entries, recovery.missing), (250, 0));
    println!("{recovery}");
    let last = original.entries.last().unwrap();
    append(&log, &["afterwards"]);
    let resolved = resolve(&log, last.id().as_str()).unwrap();
    assert_eq!((resolved.after, resolved.gap), (last.position.offset, None));
    assert_eq!(walk(&log, resolved.after).unwrap().1, [last.position.offset.next()], "one offset is missing");
    let lost = format!("#{}-{}", last.position.epoch, last.position.offset.next());
    assert_eq!(resolve(&log, &lost).unwrap().gap, Some(GapReason::Future));
    for entry in original.entries.iter().filter(|entry| entry.update.id().is_some()) {
        assert_eq!(log.locate(entry.id()).unwrap(), Some(entry.position.offset), "the index is made anew");
    }
}
