//! The queue of reads of the log: the parts of a driver that wait for a read, and the parts for which the log is being
//! read.
use crate::{audience_key::AudienceKey, bundle::PartKey};
use std::collections::VecDeque;

/// The greatest number of reads of the log that one driver makes at the same time. Each read is for one part.
pub const CONCURRENT_READS: usize = 8;
/// The greatest number of reads of the log that one driver makes at the same time for audiences with a pattern. A read
/// for a pattern examines every entry of the log, so it takes longer than a read for exact topics, which uses an index.
/// The other reads of [`CONCURRENT_READS`] are left for exact topics.
pub const CONCURRENT_SCANS: usize = 4;
/// The greatest number of reads of the log that one driver makes at the same time for parts whose last read has found
/// nothing. Anybody can ask for a topic that nobody publishes, from the beginning of the log: without a limit of their
/// own, such reads would hold up those that find something.
pub const CONCURRENT_BARREN_READS: usize = 2;

/// The reads of a driver, by kind.
#[derive(Debug, Default)]
pub(super) struct ReadQueue {
    /// For audiences with a pattern.
    scans: Kind,
    /// For audiences with exact topics only.
    exact: Kind,
    /// For parts of both, whose last read has found nothing.
    barren: Kind,
}

/// The reads of one kind.
#[derive(Debug, Default)]
struct Kind {
    /// The parts that wait for a read, in the order of their requests.
    waiting: VecDeque<PartKey>,
    /// The parts for which the log is being read.
    under_way: Vec<PartKey>,
}

impl ReadQueue {
    /// Adds a part of the audience with this key to the parts that wait. `is_barren` is true if the last read for the
    /// part has found nothing.
    pub(super) fn push(&mut self, part: PartKey, key: &AudienceKey, is_barren: bool) {
        let kind = match (is_barren, key.has_pattern()) {
            (true, _) => &mut self.barren,
            (false, true) => &mut self.scans,
            (false, false) => &mut self.exact,
        };
        kind.waiting.push_back(part);
    }

    /// Returns the next part for which the log may be read now; `None` if no part waits, or if the limits allow no more
    /// reads at the same time. The caller must call [`finish`](Self::finish) for the returned part later.
    pub(super) fn begin(&mut self) -> Option<PartKey> {
        let Self { scans, exact, barren } = self;
        if scans.under_way.len() + exact.under_way.len() + barren.under_way.len() == CONCURRENT_READS {
            return None;
        }
        let next = if barren.under_way.len() < CONCURRENT_BARREN_READS { barren.begin() } else { None };
        let scan = || if scans.under_way.len() < CONCURRENT_SCANS { scans.begin() } else { None };
        next.or_else(scan).or_else(|| exact.begin())
    }

    /// Notes that a read of the log for a part has ended.
    pub(super) fn finish(&mut self, part: PartKey) {
        let was_under_way = self.scans.finish(part) || self.exact.finish(part) || self.barren.finish(part);
        assert!(was_under_way, "a read of the log ends only for a part for which one was begun");
    }

    /// Removes all parts that wait for a read, and releases the memory that the lists of these parts took.
    pub(super) fn clear(&mut self) {
        self.scans.waiting = VecDeque::new();
        self.exact.waiting = VecDeque::new();
        self.barren.waiting = VecDeque::new();
    }
}

impl Kind {
    fn begin(&mut self) -> Option<PartKey> {
        let part = self.waiting.pop_front()?;
        self.under_way.push(part);
        Some(part)
    }

    /// Removes a part from the parts for which the log is being read. Returns false if it is not one of them.
    fn finish(&mut self, part: PartKey) -> bool {
        let place = self.under_way.iter().position(|other| *other == part);
        place.map(|place| self.under_way.swap_remove(place)).is_some()
    }
}
