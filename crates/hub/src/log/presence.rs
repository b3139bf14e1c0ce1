//! The newest presence updates of a log, in memory. Both kinds of logs use it.
//!
//! Presence updates have offsets like all updates, but a log does not store them among the updates of publishers: it
//! only notes which offsets they have. So however many of them there are, they take no room from other updates. A
//! subscriber that follows presence and needs an update that is not kept any more is told of a gap.
use super::{
    erase::{Erase, Erased},
    found::{Erasure, Found},
};
use crate::{
    entry::{Entry, Timestamp},
    position::Offset,
};
use std::{collections::VecDeque, sync::Arc};

/// The greatest number of bytes of the presence updates that a log keeps, as they would be stored.
pub const MAX_PRESENCE_BYTES: u64 = 8 << 20;
/// The greatest number of presence updates that a log keeps.
pub const MAX_PRESENCE_UPDATES: usize = 16_384;

/// The limits of the presence updates that a log keeps. When a limit is exceeded, the oldest of these updates go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresenceLimit {
    /// The greatest number of bytes that these updates together may have.
    pub bytes: u64,
    /// The greatest number of these updates.
    pub updates: usize,
}

/// The newest presence updates, in the order of the log.
#[derive(Debug)]
pub(super) struct Presence {
    limit: PresenceLimit,
    kept: VecDeque<Kept>,
    bytes: u64,
}

/// A presence update; `entry` is `None` if it was erased.
#[derive(Debug)]
struct Kept {
    offset: Offset,
    time: Timestamp,
    entry: Option<Arc<Entry>>,
}

impl PresenceLimit {
    /// The limits of a hub: [`MAX_PRESENCE_BYTES`] and [`MAX_PRESENCE_UPDATES`].
    pub const DEFAULT: Self = Self { bytes: MAX_PRESENCE_BYTES, updates: MAX_PRESENCE_UPDATES };
}

impl Default for PresenceLimit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Presence {
    pub(super) fn new(limit: PresenceLimit) -> Self {
        Self { limit, kept: VecDeque::new(), bytes: 0 }
    }

    /// Adds an update. Its offset must be higher than those of all updates before it.
    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        debug_assert!(self.kept.back().is_none_or(|newest| newest.offset < entry.position.offset));
        self.bytes += entry.update.stored_bytes() as u64;
        self.kept.push_back(Kept { offset: entry.position.offset, time: entry.time, entry: Some(entry) });
        while self.kept.len() > self.limit.updates || self.bytes > self.limit.bytes {
            self.pop();
        }
    }

    /// Drops the updates that retention does not keep: those before the offset `oldest`, and those that are older than
    /// `age_ms` milliseconds.
    pub(super) fn discard(&mut self, oldest: Offset, age_ms: Option<u64>, now: Timestamp) {
        let is_too_old = |kept: &Kept| age_ms.is_some_and(|limit| now.0.saturating_sub(kept.time.0) > limit);
        while self.kept.front().is_some_and(|front| front.offset < oldest || is_too_old(front)) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(Kept { entry: Some(entry), .. }) = self.kept.pop_front() {
            self.bytes -= entry.update.stored_bytes() as u64;
        }
    }

    /// Returns what a reader gets for the offsets from `first` to `last`, which all belong to presence updates, in
    /// order. The times of the updates are not considered.
    pub(super) fn within(&self, first: Offset, last: Offset) -> impl Iterator<Item = Found> + '_ {
        let begin = self.kept.partition_point(|kept| kept.offset < first);
        let mut kept = self.kept.range(begin..).take_while(move |kept| kept.offset <= last).peekable();
        let mut next = first;
        std::iter::from_fn(move || {
            if next > last {
                return None;
            }
            let found = match kept.peek() {
                Some(there) if there.offset > next => Found::PresenceLost(next, Offset(there.offset.0 - 1)),
                None => Found::PresenceLost(next, last),
                Some(Kept { offset, entry: None, .. }) => Found::Erased(Erasure { offset: *offset, private: true }),
                Some(Kept { entry: Some(entry), .. }) => Found::Entry(entry.clone()),
            };
            if !matches!(found, Found::PresenceLost(..)) {
                kept.next();
            }
            next = found.offset().next();
            Some(found)
        })
    }

    /// Returns the offset of the newest kept update, erased or not, with an offset from `first` to `last` and a time
    /// before `time`; `None` if there is none. All updates before this one are older, too. Later updates that are not
    /// kept may be as new as `time`.
    pub(super) fn newest_before(&self, first: Offset, last: Offset, time: Timestamp) -> Option<Offset> {
        let older = self.kept.partition_point(|kept| kept.offset <= last && kept.time < time);
        let newest = self.kept.get(older.checked_sub(1)?)?;
        (newest.offset >= first).then_some(newest.offset)
    }

    /// True if [`erase`](Self::erase) would erase an update.
    pub(super) fn has_any(&self, erase: &Erase<'_>) -> bool {
        self.entries().any(|entry| erase.fits(entry) && (erase.may)(entry.update.topics()))
    }

    /// Erases updates, and counts them in `erased`.
    pub(super) fn erase(&mut self, erase: &Erase<'_>, erased: &mut Erased) {
        for kept in &mut self.kept {
            let Some(entry) = kept.entry.as_ref().filter(|entry| erase.fits(entry)) else { continue };
            if (erase.may)(entry.update.topics()) {
                self.bytes -= entry.update.stored_bytes() as u64;
                kept.entry = None;
                erased.erased += 1;
            } else {
                erased.kept += 1;
            }
        }
    }

    /// Returns the updates that were not erased, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.kept.iter().filter_map(|kept| kept.entry.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        position::{Epoch, Position},
        topic::{PRESENCE_TOPICS, Topic},
        update::Update,
    };

    fn entry(offset: u64, time: u64) -> Arc<Entry> {
        let topic = Topic::new(&format!("{PRESENCE_TOPICS}a/{offset:04}")).unwrap();
        let position = Position { epoch: Epoch::from_bits(1), offset: Offset(offset) };
        Arc::new(Entry::new(position, Timestamp(time), Update::of_hub(topic, "{}".into(), None)))
    }

    fn bytes_of_one() -> u64 {
        entry(1, 0).update.stored_bytes() as u64
    }

    fn kept(presence: &Presence) -> Vec<u64> {
        presence.entries().map(|entry| entry.position.offset.0).collect()
    }

    #[test]
    fn the_oldest_go_at_either_limit() {
        for (bytes, updates, expected) in [
            (u64::MAX, 3, vec![8, 9, 10]),
            (3 * bytes_of_one(), usize::MAX, vec![8, 9, 10]),
            (3 * bytes_of_one() - 1, usize::MAX, vec![9, 10]),
            (bytes_of_one() - 1, usize::MAX, vec![]),
            (u64::MAX, 0, vec![]),
        ] {
            let mut presence = Presence::new(PresenceLimit { bytes, updates });
            (1..=10).for_each(|offset| presence.push(entry(offset, 0)));
            assert_eq!(kept(&presence), expected);
            assert_eq!(presence.bytes, expected.len() as u64 * bytes_of_one());
        }
    }

    #[test]
    fn what_is_not_kept_is_told_range_by_range() {
        let mut presence = Presence::new(PresenceLimit { bytes: u64::MAX, updates: 3 });
        [1, 2, 5, 6, 9].into_iter().for_each(|offset| presence.push(entry(offset, 0)));
        let found = |first, last| presence.within(Offset(first), Offset(last)).collect::<Vec<_>>();
        let (lost, there) =
            (|first, last| Found::PresenceLost(Offset(first), Offset(last)), |o| Found::Entry(entry(o, 0)));
        assert_eq!(found(1, 2), [lost(1, 2)]);
        assert_eq!(found(5, 6), [there(5), there(6)]);
        assert_eq!(found(1, 6), [lost(1, 4), there(5), there(6)]);
        assert_eq!(found(6, 12), [there(6), lost(7, 8), there(9), lost(10, 12)]);
        assert_eq!(found(3, 2), []);
    }

    #[test]
    fn the_newest_one_before_a_time_is_found() {
        let mut presence = Presence::new(PresenceLimit { bytes: u64::MAX, updates: 4 });
        [(1, 10), (2, 20), (5, 30), (6, 30), (7, 40), (9, 50)]
            .into_iter()
            .for_each(|(offset, time)| presence.push(entry(offset, time)));
        for (first, last, time, expected) in [
            (1, 7, 30, None),
            (1, 7, 31, Some(6)),
            (1, 7, 40, Some(6)),
            (1, 7, 41, Some(7)),
            (1, 7, 99, Some(7)),
            (7, 8, 40, None),
            (9, 9, 50, None),
            (9, 9, 51, Some(9)),
            (10, 12, 99, None),
        ] {
            let found = presence.newest_before(Offset(first), Offset(last), Timestamp(time));
            assert_eq!(found, expected.map(Offset), "{first} to {last} before {time}");
        }
    }

    #[test]
    fn old_and_erased_ones_are_gone() {
        let mut presence = Presence::new(PresenceLimit::DEFAULT);
        (1..=5).for_each(|offset| presence.push(entry(offset, 10 * offset)));
        presence.discard(Offset(1), Some(20), Timestamp(40));
        assert_eq!(kept(&presence), [2, 3, 4, 5]);
        presence.discard(Offset(3), None, Timestamp(40));
        assert_eq!(kept(&presence), [3, 4, 5]);
        let mut erased = Erased::default();
        let erase = Erase {
            topic: None,
            id: None,
            before: Some(Timestamp(50)),
            may: &|topics| topics[0].as_str().ends_with('4'),
        };
        assert!(presence.has_any(&erase));
        presence.erase(&erase, &mut erased);
        assert!(!presence.has_any(&erase));
        assert_eq!((erased.erased, erased.kept, kept(&presence)), (1, 1, vec![3, 5]));
        let found = presence.within(Offset(4), Offset(4)).collect::<Vec<_>>();
        assert_eq!(found, [Found::Erased(Erasure { offset: Offset(4), private: true })]);
        assert_eq!(presence.bytes, 2 * bytes_of_one());
    }
}
