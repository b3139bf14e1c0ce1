//! Catch-up: reading the log for a subscriber whose cursor is before its audience's window. Replays, subscribers that
//! resume, and slow subscribers need it.
use crate::{
    audience_key::AudienceKey,
    entry::Timestamp,
    gap::{Gap, GapReason},
    log::{Found, Log, LogError, Query, ReadLimit},
    position::Offset,
    run::Run,
};

/// The limit of one read of the log, in entries and in bytes.
const READ: ReadLimit = ReadLimit { entries: 512, bytes: 64 << 10 };
/// The number of encoded bytes at which a step through the log ends. The events that the step reads last may make it
/// larger than this.
const STEP_BYTES: usize = 64 << 10;
/// The number of examined log entries at which a step through the log ends. Without this limit, a step would occupy a
/// thread for too long if few entries of a long log are for the subscriber.
const STEP_ENTRIES: u64 = 16 << 10;

/// The result of one step through the log: what a subscriber gets of the entries between two offsets.
#[derive(Clone, Debug)]
pub struct Step {
    /// The offset after which the step began to read.
    pub begins_after: Offset,
    /// The offset up to which the step has read every entry.
    pub cursor: Offset,
    /// The bytes that the subscriber gets: encoded events, and a gap event if entries are missing in the log. `None` if
    /// nothing in the step is for the subscriber.
    pub run: Option<Run>,
    /// True if `run` includes a gap event. The gap event reports what is missing after `begins_after`, so the step is
    /// only for subscribers whose cursor is `begins_after`.
    pub tells_gap: bool,
}

/// A step, or the reason why the log could not be read.
pub type ReadStep = Result<Step, LogError>;

impl Step {
    /// True if a subscriber whose cursor is `cursor` can be sent the events of this step. Its cursor must be where the
    /// step begins, or within the step if the step has no gap event.
    #[must_use]
    pub fn serves(&self, cursor: Offset) -> bool {
        cursor == self.begins_after || (!self.tells_gap && self.begins_after < cursor && cursor < self.cursor)
    }
}

/// Reads the next step after `cursor`. Blocks while it reads the log.
pub(crate) fn step(log: &dyn Log, key: &AudienceKey, cursor: Offset, now: Timestamp) -> Result<Step, LogError> {
    let topics = key.exact_topics();
    let mut reader = Reader { log, key, cursor, now, hole: None, run: Vec::new(), ends: Vec::new(), tells_gap: false };
    let mut seen = 0;
    while reader.run.len() < STEP_BYTES && seen < STEP_ENTRIES {
        let (after, until) = (reader.cursor, Offset(u64::MAX));
        let read = log.read(&Query { after, until, topics: topics.as_deref(), now, limit: READ })?;
        if read.up_to == after {
            break;
        }
        // For exact topics, only the entries that the log's index names are read, so only these entries count towards
        // `STEP_ENTRIES`. For patterns, every entry is read and counted.
        seen += if topics.is_some() { read.found.len().max(1) as u64 } else { read.up_to.0 - after.0 };
        read.found.iter().for_each(|found| reader.take(found));
        reader.cursor = read.up_to;
    }
    reader.tell_hole();
    let Reader { cursor: end, run, ends, tells_gap, .. } = reader;
    Ok(Step { begins_after: cursor, cursor: end, run: Run::encoded(run, ends), tells_gap })
}

struct Reader<'a> {
    log: &'a dyn Log,
    key: &'a AudienceKey,
    cursor: Offset,
    now: Timestamp,
    /// The missing entries that no gap event has reported yet: the entries after the first offset, up to and including
    /// the second. `None` if no entries are missing.
    hole: Option<(Offset, Offset)>,
    run: Vec<u8>,
    ends: Vec<(Offset, usize)>,
    tells_gap: bool,
}

impl Reader<'_> {
    fn take(&mut self, found: &Found) {
        match found {
            Found::Entry(entry) if self.key.admits(&entry.update) => {
                self.tell_hole();
                self.key.encode(entry, &mut self.run);
                self.ends.push((entry.position.offset, self.run.len()));
            }
            // The topics of lost entries are unknown: some of these entries may have been for this subscriber. So a gap
            // event reports them all.
            Found::Lost(first, last) => self.miss(*first, *last),
            Found::Discarded(gone)
                if self.key.matches(&gone.topics) && self.key.may_receive_of(&gone.topics, gone.private) =>
            {
                self.miss(gone.offset, gone.offset);
            }
            Found::PresenceLost(first, last) if self.key.follows_presence() => self.miss(*first, *last),
            Found::Entry(_) | Found::Discarded(_) | Found::Erased(_) | Found::PresenceLost(..) => {}
        }
    }

    /// Notes that the entries from `first` to `last` are missing. If earlier entries are missing too, and no event lies
    /// between the two ranges, one gap event reports both ranges.
    fn miss(&mut self, first: Offset, last: Offset) {
        let begin = self.hole.map_or(Offset(first.0 - 1), |(begin, _)| begin);
        self.hole = Some((begin, last));
    }

    fn tell_hole(&mut self) {
        let Some((begin, end)) = self.hole.take() else { return };
        let gap =
            Gap { requested: id_of(self.log, begin), resumed_from: id_of(self.log, end), reason: GapReason::Discarded };
        self.key.encode_gap(&gap, self.now, &mut self.run);
        self.ends.push((end, self.run.len()));
        self.tells_gap = true;
    }
}

/// Returns the ID that names the position `offset`. A subscriber that sends this ID as its last event ID continues
/// after the offset, even if the log no longer holds the entry at this offset.
pub(crate) fn id_of(log: &dyn Log, offset: Offset) -> String {
    log.epochs().position(offset).to_string()
}
