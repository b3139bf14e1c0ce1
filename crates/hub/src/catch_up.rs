//! Catch-up: reading the log for a subscriber whose cursor lies before its audience's window. Replay, resume and slow
//! subscribers are all this one thing.
use crate::{
    audience_key::AudienceKey,
    entry::Timestamp,
    gap::{Gap, GapReason},
    log::{Found, Log, LogError, Query, ReadLimit},
    position::Offset,
    run::Run,
};

/// The most that is read from the log at once.
const READ: ReadLimit = ReadLimit { entries: 512, bytes: 64 << 10 };
/// A step ends when it has made this many bytes. It may exceed them by what one read of the log brings.
const STEP_BYTES: usize = 64 << 10;
/// A step ends when it has looked at this many entries, so that a subscriber to whom little in a long log matters does
/// not keep a thread from others.
const STEP_ENTRIES: u64 = 16 << 10;

/// One step on the way through the log.
#[derive(Clone, Debug)]
pub struct Step {
    /// Everything that matches behind this offset has been read.
    pub begins_after: Offset,
    /// Everything up to here has been looked at.
    pub cursor: Offset,
    /// The bytes that the subscriber gets: wire events, and a gap where the log has one.
    pub run: Option<Run>,
    /// True if it tells of a gap, which names the place where the step begins. It is then of no use to a subscriber
    /// that stands elsewhere.
    pub tells_gap: bool,
}

/// A step, or the reason why the log could not be read.
pub type ReadStep = Result<Step, LogError>;

impl Step {
    /// True if a subscriber at `cursor` may go on with this step.
    #[must_use]
    pub fn serves(&self, cursor: Offset) -> bool {
        cursor == self.begins_after || (!self.tells_gap && self.begins_after < cursor && cursor < self.cursor)
    }
}

/// Reads on from `cursor`. Blocks on the log.
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
        // By an index, nobody has looked at what is between.
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
    /// The gap that is not told yet: from behind the first of these offsets to the second.
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
            // Whether any of it would have reached this subscriber is unknown, so it is told.
            Found::Lost(first, last) => self.miss(*first, *last),
            Found::Discarded(gone)
                if self.key.matches(&gone.topics) && self.key.may_receive_of(&gone.topics, gone.private) =>
            {
                self.miss(gone.offset, gone.offset);
            }
            Found::Entry(_) | Found::Discarded(_) | Found::Erased(_) => {}
        }
    }

    /// Notes missing entries. They are one gap with those before if no event is in between.
    fn miss(&mut self, first: Offset, last: Offset) {
        let begin = self.hole.map_or(Offset(first.0 - 1), |(begin, _)| begin);
        self.hole = Some((begin, last));
    }

    fn tell_hole(&mut self) {
        let Some((begin, end)) = self.hole.take() else { return };
        let gap =
            Gap { requested: id_of(self.log, begin), resumed_from: id_of(self.log, end), reason: GapReason::Discarded };
        self.key.representation.encode_gap(&gap, self.now, &mut self.run);
        self.ends.push((end, self.run.len()));
        self.tells_gap = true;
    }
}

/// The ID of the place behind `offset`, which a subscriber may present to go on from there, whatever stands or stood
/// there.
pub(crate) fn id_of(log: &dyn Log, offset: Offset) -> String {
    log.epochs().position(offset).to_string()
}
