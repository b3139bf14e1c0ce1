//! The queue of reads of the log: the parts of a driver that wait for a read, and the parts for which the log is being
//! read.
use crate::{audience_key::AudienceKey, bundle::PartKey};
use std::collections::VecDeque;

/// The greatest number of reads of the log that one driver makes at the same time. Each read is for one part.
pub const CONCURRENT_READS: usize = 8;
/// The greatest number of reads of the log that one driver makes at the same time for audiences with a pattern. A read
/// for a pattern examines every entry of the log, so it takes longer than a read for exact topics, which uses an index.
/// The other reads of [`CONCURRENT_READS`] are left for exact topics. Reads of [`CONCURRENT_BARREN_READS`] that are for a
/// pattern count among these reads, too.
pub const CONCURRENT_SCANS: usize = 4;
/// The greatest number of reads of the log that one driver makes at the same time for parts whose last read has found
/// nothing. Anybody can ask for a topic that nobody publishes, from the beginning of the log: without a limit of their
/// own, such reads would hold up those that find something.
pub const CONCURRENT_BARREN_READS: usize = 2;

/// The greatest number of reads of the log that one driver makes at the same time for audiences without a token. The
/// other reads of [`CONCURRENT_READS`] are left for audiences with a token.
pub const CONCURRENT_STRANGERS_READS: usize = 6;

/// The reads of a driver.
#[derive(Debug, Default)]
pub(super) struct ReadQueue {
    /// The parts that wait for a read, by the index of their kind; each queue is in the order of the requests.
    waiting: [VecDeque<PartKey>; 8],
    /// The parts for which the log is being read.
    under_way: Vec<(PartKey, Kind)>,
    /// True if the next barren read is for a pattern, if one of both kinds waits. They take turns.
    scan_is_next: bool,
    /// For each kind without regard to tokens, by its index: true if the next read of this kind is for an audience
    /// without a token, if parts with and without a token wait for such a read. They take turns. Each kind has its own
    /// turns: otherwise those of one kind, after each of which a read of another kind comes, could all fall to strangers.
    stranger_is_next: [bool; 4],
}

/// The kind of a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kind {
    /// True for an audience with a pattern.
    is_scan: bool,
    /// True if the last read for the part has found nothing.
    is_barren: bool,
    /// True for an audience without a token.
    is_strangers: bool,
}

impl ReadQueue {
    /// Adds a part of the audience with this key to the parts that wait. `is_barren` is true if the last read for the
    /// part has found nothing.
    pub(super) fn push(&mut self, part: PartKey, key: &AudienceKey, is_barren: bool) {
        let kind = Kind { is_scan: key.has_pattern(), is_barren, is_strangers: key.is_anonymous };
        self.waiting[kind.index()].push_back(part);
    }

    /// Returns the next part for which the log may be read now; `None` if no part waits, or if the limits allow no more
    /// reads at the same time. The caller must call [`finish`](Self::finish) for the returned part later.
    pub(super) fn begin(&mut self) -> Option<PartKey> {
        let order = [(true, self.scan_is_next), (true, !self.scan_is_next), (false, true), (false, false)];
        let mut kinds = order.into_iter().flat_map(|(is_barren, is_scan)| {
            let kind = |is_strangers| Kind { is_scan, is_barren, is_strangers };
            let stranger_is_next = self.stranger_is_next[kind(false).index()];
            [kind(stranger_is_next), kind(!stranger_is_next)]
        });
        let kind = kinds.find(|kind| !self.waiting[kind.index()].is_empty() && self.may_begin(*kind))?;
        if kind.is_barren {
            self.scan_is_next = !kind.is_scan;
        }
        let with_token = Kind { is_strangers: false, ..kind };
        self.stranger_is_next[with_token.index()] = !kind.is_strangers;
        let part = self.waiting[kind.index()].pop_front()?;
        self.under_way.push((part, kind));
        Some(part)
    }

    fn may_begin(&self, kind: Kind) -> bool {
        let count = |is_meant: fn(Kind) -> bool| self.under_way.iter().filter(|(_, kind)| is_meant(*kind)).count();
        self.under_way.len() < CONCURRENT_READS
            && (!kind.is_scan || count(|kind| kind.is_scan) < CONCURRENT_SCANS)
            && (!kind.is_barren || count(|kind| kind.is_barren) < CONCURRENT_BARREN_READS)
            && (!kind.is_strangers || count(|kind| kind.is_strangers) < CONCURRENT_STRANGERS_READS)
    }

    /// Notes that a read of the log for a part has ended.
    pub(super) fn finish(&mut self, part: PartKey) {
        let place = self.under_way.iter().position(|(other, _)| *other == part);
        self.under_way.swap_remove(place.expect("a read of the log ends only for a part for which one was begun"));
    }

    /// Removes all parts that wait for a read, and releases the memory that the lists of these parts took.
    pub(super) fn clear(&mut self) {
        self.waiting = Default::default();
    }
}

impl Kind {
    fn index(self) -> usize {
        usize::from(self.is_scan) + 2 * usize::from(self.is_barren) + 4 * usize::from(self.is_strangers)
    }
}
