//! The search for the updates of a rewind: the newest updates of each topic. It goes backwards from the newest entry of
//! the log, and may find nothing up to the beginning of the log, so it is made in steps: between two of them, others
//! read the log.
use crate::{
    audience_key::AudienceKey,
    entry::{Entry, Timestamp},
    log::{Log, LogError, Query, ReadLimit},
    position::Offset,
    rewind::{MAX_REWIND, Rewind},
    topic::{Topic, matcher::Matcher},
};
use std::{collections::VecDeque, sync::Arc};

/// The number of entries, counted back from the newest entry of the log, among which the updates of a rewind are looked
/// for first. If too few updates are found, the next older entries are examined, twice as many each time.
const FIRST_WINDOW: u64 = 256;
/// The limit of one read of the log, in entries and in bytes.
const READ: ReadLimit = ReadLimit { entries: 512, bytes: 256 << 10 };
/// The number of examined log entries at which a step of the search ends, as for a step of a catch-up.
const STEP_ENTRIES: u64 = 16 << 10;

/// A search that has not ended.
#[derive(Debug)]
pub(crate) struct RewindSearch {
    key: Arc<AudienceKey>,
    count: usize,
    head: Offset,
    /// The updates of the topics and patterns whose search has ended, in order, each once.
    offsets: Vec<Offset>,
    /// The number of topics and patterns whose search has ended.
    done: usize,
    /// The search for the updates of the next topic or pattern.
    newest: Newest,
}

/// The search for the newest updates of one topic or pattern.
#[derive(Debug)]
struct Newest {
    /// The updates that were found in the windows that were examined, in order.
    found: VecDeque<Offset>,
    /// The size of the window that is examined now, in entries.
    window: u64,
    /// The end of the window that is examined now.
    until: Offset,
    /// The offset up to which this window was examined; `None` before its beginning.
    cursor: Option<Offset>,
    /// The updates that were found in this window so far, in order: as many of the last ones as are still needed.
    fitting: VecDeque<Offset>,
}

impl RewindSearch {
    /// Returns a search for the newest `count` updates of each topic and pattern that the audience `key` subscribed to,
    /// among the entries up to the offset `head`. If these are more than [`MAX_REWIND`] updates together, the oldest of
    /// them are left out.
    pub(crate) fn new(key: Arc<AudienceKey>, count: usize, head: Offset) -> Self {
        Self { key, count, head, offsets: Vec::new(), done: 0, newest: Newest::before(head) }
    }

    /// Examines further entries. Returns the rewind if the search has ended. Blocks while it reads the log.
    pub(crate) fn step(&mut self, log: &dyn Log, now: Timestamp) -> Result<Option<Rewind>, LogError> {
        let key = &self.key;
        let mut left = STEP_ENTRIES;
        while let Some(matcher) = key.matchers.as_slice().get(self.done) {
            let fits = |entry: &Entry| {
                entry.update.topics().iter().any(|topic| matcher.matches(topic)) && key.may_receive(&entry.update)
            };
            let topic = match matcher {
                Matcher::Exact(topic) => Some(topic),
                _ => None,
            };
            while !self.newest.is_over(self.count, log) {
                if left == 0 {
                    return Ok(None);
                }
                left = left.saturating_sub(self.newest.read(log, topic, self.count, now, fits)?);
            }
            self.offsets.extend(std::mem::replace(&mut self.newest, Newest::before(self.head)).found);
            self.offsets.sort_unstable();
            self.offsets.dedup();
            let surplus = self.offsets.len().saturating_sub(MAX_REWIND);
            self.offsets.drain(..surplus);
            self.done += 1;
        }
        Ok(Some(Rewind::new(std::mem::take(&mut self.offsets).into())))
    }

    /// The memory of the search, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        let Newest { found, fitting, .. } = &self.newest;
        (self.offsets.capacity() + found.capacity() + fitting.capacity()) * size_of::<Offset>()
    }
}

impl Newest {
    fn before(head: Offset) -> Self {
        let (found, fitting) = (VecDeque::new(), VecDeque::new());
        Self { found, window: FIRST_WINDOW, until: head, cursor: None, fitting }
    }

    /// True if `count` updates were found, or every entry that the log holds was examined.
    fn is_over(&self, count: usize, log: &dyn Log) -> bool {
        self.cursor.is_none() && (self.found.len() >= count || self.until <= log.bounds().floor())
    }

    /// Makes one read of the log, and returns the number of entries that it has examined, at least 1. For an exact
    /// topic, only the entries that the log's index names are examined.
    fn read(
        &mut self,
        log: &dyn Log,
        topic: Option<&Topic>,
        count: usize,
        now: Timestamp,
        fits: impl Fn(&Entry) -> bool,
    ) -> Result<u64, LogError> {
        let (floor, until) = (log.bounds().floor(), self.until);
        let begins_after = Offset(until.0.saturating_sub(self.window)).max(floor);
        let after = self.cursor.unwrap_or(begins_after);
        let topics = topic.map(std::slice::from_ref);
        let read = log.read(&Query { after, until, topics, now, limit: READ })?;
        for entry in read.entries().filter(|entry| fits(entry)) {
            self.fitting.push_back(entry.position.offset);
            if self.fitting.len() > count - self.found.len() {
                self.fitting.pop_front();
            }
        }
        let examined = if topic.is_some() { read.found.len() as u64 } else { read.up_to.0 - after.0 };
        self.cursor = Some(read.up_to);
        if read.up_to == after || read.up_to >= until {
            self.fitting.append(&mut self.found);
            self.found = std::mem::take(&mut self.fitting);
            (self.cursor, self.until) = (None, begins_after);
            self.window = self.window.saturating_mul(2);
        }
        Ok(examined.max(1))
    }
}
