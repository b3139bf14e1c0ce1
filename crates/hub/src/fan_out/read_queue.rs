//! The parts of a driver that wait for the log to be read, and those for which it is being read.
use crate::{audience_key::AudienceKey, bundle::PartKey};
use std::collections::VecDeque;

/// The number of parts of audiences for which a driver reads the log at the same time.
pub const CONCURRENT_READS: usize = 8;
/// The greatest number of parts with a pattern for which a driver reads the log at the same time. Such a read searches
/// every entry of the log, so it takes longer than a read by an index. The other reads are for exact topics, and use
/// the index.
pub const CONCURRENT_SCANS: usize = 4;

/// The reads of a driver, of both kinds.
#[derive(Debug, Default)]
pub(super) struct ReadQueue {
    scans: Kind,
    exact: Kind,
}

/// The reads of one kind.
#[derive(Debug, Default)]
struct Kind {
    /// The parts that wait, in the order of their requests.
    waiting: VecDeque<PartKey>,
    /// The parts for which the log is being read.
    under_way: Vec<PartKey>,
}

impl ReadQueue {
    /// Adds a part of the audience with this key to the parts that wait.
    pub(super) fn push(&mut self, part: PartKey, key: &AudienceKey) {
        let kind = if key.has_pattern() { &mut self.scans } else { &mut self.exact };
        kind.waiting.push_back(part);
    }

    /// Returns the next part for which the log may be read now. Each part is [finished](Self::finish) later.
    pub(super) fn begin(&mut self) -> Option<PartKey> {
        let Self { scans, exact } = self;
        if scans.under_way.len() + exact.under_way.len() == CONCURRENT_READS {
            return None;
        }
        let scan = if scans.under_way.len() < CONCURRENT_SCANS { scans.begin() } else { None };
        scan.or_else(|| exact.begin())
    }

    /// Notes that the log is not being read for a part any more.
    pub(super) fn finish(&mut self, part: PartKey) {
        let was_under_way = self.scans.finish(part) || self.exact.finish(part);
        assert!(was_under_way, "no read was under way for this answer");
    }

    /// Removes the parts that wait, and releases their memory.
    pub(super) fn clear(&mut self) {
        self.scans.waiting = VecDeque::new();
        self.exact.waiting = VecDeque::new();
    }
}

impl Kind {
    fn begin(&mut self) -> Option<PartKey> {
        let part = self.waiting.pop_front()?;
        self.under_way.push(part);
        Some(part)
    }

    /// Returns false if the part is not under way.
    fn finish(&mut self, part: PartKey) -> bool {
        let place = self.under_way.iter().position(|other| *other == part);
        place.map(|place| self.under_way.swap_remove(place)).is_some()
    }
}
