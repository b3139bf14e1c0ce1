//! A rewind: the newest updates of each topic, for a subscriber that has no last event ID.
use crate::{
    audience_key::AudienceKey,
    budget::Room,
    entry::{Entry, Timestamp},
    log::{Log, LogError, Query, ReadLimit},
    position::Offset,
    topic::{Topic, matcher::Matcher},
};
use std::collections::{BTreeSet, VecDeque};

/// The greatest number of updates of a rewind, of all topics together.
pub const MAX_REWIND: usize = 10_000;
/// The number of entries, counted back from the newest entry of the log, among which the updates of a rewind are looked
/// for first. If too few updates are found, the next older entries are examined, twice as many each time.
const FIRST_WINDOW: u64 = 256;
const READ: ReadLimit = ReadLimit { entries: 512, bytes: 256 << 10 };
/// The number of encoded bytes at which a step ends. A step reads a part of a rewind.
const STEP_BYTES: usize = 64 << 10;

/// The offsets of the updates of a rewind that have not been returned yet, in order.
#[derive(Clone, Debug)]
pub(crate) struct Rewind {
    offsets: VecDeque<Offset>,
    /// The room that the offsets take; `None` before the first step, or if they are not charged to the budgets.
    room: Option<Room>,
}

impl Rewind {
    /// Finds the newest `count` updates of each topic and pattern that the audience `key` subscribed to, among the
    /// entries up to the offset `head`. If these are more than [`MAX_REWIND`] updates together, the oldest of them are
    /// left out. Blocks while it reads the log.
    pub(crate) fn find(
        log: &dyn Log,
        key: &AudienceKey,
        count: usize,
        head: Offset,
        now: Timestamp,
    ) -> Result<Self, LogError> {
        let mut offsets = BTreeSet::new();
        for matcher in key.matchers.as_slice() {
            let fits = |entry: &Entry| {
                entry.update.topics().iter().any(|topic| matcher.matches(topic)) && key.may_receive(&entry.update)
            };
            offsets.extend(newest(log, matcher, count, head, now, fits)?);
        }
        let surplus = offsets.len().saturating_sub(MAX_REWIND);
        Ok(Self { offsets: offsets.into_iter().skip(surplus).collect(), room: None })
    }

    /// The memory of the rewind, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        self.offsets.capacity() * size_of::<Offset>()
    }

    /// The room that the offsets and the bytes of the last step take.
    pub(crate) fn room(&self) -> Option<&Room> {
        self.room.as_ref()
    }

    /// Keeps the room that the rewind takes from now on.
    pub(crate) fn keep(&mut self, room: Room) {
        self.room = Some(room);
    }

    /// True if all updates of the rewind have been returned.
    pub(crate) fn is_over(&self) -> bool {
        self.offsets.is_empty()
    }

    /// The position before the next update; `None` if there is no further update.
    pub(crate) fn begins_after(&self) -> Option<Offset> {
        self.offsets.front().map(|first| Offset(first.0 - 1))
    }

    /// Returns the next encoded events. Updates that were discarded or erased after the search are left out. Blocks
    /// while it reads the log.
    pub(crate) fn step(&mut self, log: &dyn Log, key: &AudienceKey, now: Timestamp) -> Result<Vec<u8>, LogError> {
        let mut run = Vec::new();
        while run.len() < STEP_BYTES {
            let Some(offset) = self.offsets.pop_front() else { break };
            let (after, limit) = (Offset(offset.0 - 1), ReadLimit { entries: 1, bytes: 0 });
            let read = log.read(&Query { after, until: offset, topics: None, now, limit })?;
            read.entries().for_each(|entry| key.encode(entry, &mut run));
        }
        Ok(run)
    }
}

/// Returns the offsets of the newest entries for which `fits` is true, at most `count` of them.
fn newest(
    log: &dyn Log,
    matcher: &Matcher,
    count: usize,
    head: Offset,
    now: Timestamp,
    fits: impl Fn(&Entry) -> bool,
) -> Result<VecDeque<Offset>, LogError> {
    let topic = match matcher {
        Matcher::Exact(topic) => Some(topic),
        _ => None,
    };
    let (mut found, mut window, mut until) = (VecDeque::new(), FIRST_WINDOW, head);
    while found.len() < count {
        let after = Offset(until.0.saturating_sub(window)).max(log.bounds().floor());
        if after >= until {
            break;
        }
        let mut fitting = VecDeque::new();
        visit(log, topic, (after, until), now, |entry| {
            if fits(entry) {
                fitting.push_back(entry.position.offset);
            }
            if fitting.len() > count - found.len() {
                fitting.pop_front();
            }
        })?;
        fitting.append(&mut found);
        found = fitting;
        (until, window) = (after, window.saturating_mul(2));
    }
    Ok(found)
}

/// Calls `visit` for each entry after the first offset, up to and including the second, in order.
fn visit(
    log: &dyn Log,
    topic: Option<&Topic>,
    (mut after, until): (Offset, Offset),
    now: Timestamp,
    mut visit: impl FnMut(&Entry),
) -> Result<(), LogError> {
    let topics = topic.map(std::slice::from_ref);
    while after < until {
        let read = log.read(&Query { after, until, topics, now, limit: READ })?;
        if read.up_to == after {
            break;
        }
        read.entries().for_each(|entry| visit(entry));
        after = read.up_to;
    }
    Ok(())
}
