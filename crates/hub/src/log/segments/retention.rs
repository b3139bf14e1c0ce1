//! Retention: moves the beginning of the log forward, entry by entry, and removes a segment when all its entries are
//! before the beginning of the log.
use super::{
    directory::Kind,
    index::{Amounts, Index},
    index_file::Ids,
    scan::{Piece, Scan},
    segment::Segment,
    store::{Ahead, Held, Store, Tally, Writing},
};
use crate::{
    entry::Timestamp,
    log::{Bounds, LogError, Retention},
    position::Offset,
};
use std::{collections::VecDeque, fs, io, sync::Arc};

/// The greatest number of entries that one call of [`Log::discard`](crate::log::Log::discard) discards.
pub(super) const AT_ONCE: usize = 2_000;
/// The greatest number of entries that an append discards for each entry that it adds: enough to shrink a log that is
/// too large.
pub(super) const PER_ENTRY: usize = 2;
/// The greatest number of entries whose times and sizes are read in advance.
const AHEAD: usize = 512;
/// The number of publishers' IDs of discarded updates that are remembered, as hashes: about 12 MB on disk.
pub const REMEMBERED_IDS: u64 = 1_000_000;

impl Store {
    pub(super) fn discard(&self, now: Timestamp) -> Result<usize, LogError> {
        // A failure of the keeper is noticed here, even if nothing is appended.
        if let Err(error @ LogError::Failed(_)) = self.check() {
            return Err(error);
        }
        let mut writing = self.writing();
        self.hear(now);
        let count = self.discard_some(&mut writing, now, AT_ONCE)?;
        // If the newest offset cannot be recorded, for example because the disk is full, the next call tries again.
        _ = self.remember_head(&mut writing);
        Ok(count)
    }

    /// Moves the beginning of the log forward, by at most `budget` entries that retention no longer keeps. Returns the
    /// number of these entries.
    pub(super) fn discard_some(&self, writing: &mut Writing, now: Timestamp, budget: usize) -> Result<usize, LogError> {
        let (before, mut tally) = {
            let held = self.held();
            (held.bounds.clone(), held.tally)
        };
        let Bounds { head, mut oldest, .. } = before;
        let mut passed = 0;
        while oldest <= head && passed < budget {
            if writing.oldest.is_empty() && !may_exceed(&self.retention, tally.held()) {
                break;
            }
            if writing.oldest.front().is_none_or(|next| next.last < oldest) {
                writing.oldest.clear();
                self.read_ahead(oldest, &before, &mut writing.oldest)?;
            }
            // The time and size of a damaged entry are not known. This entry is discarded together with the next entry
            // that can be read.
            let Some(next) = writing.oldest.front().copied() else { break };
            let is_begun = next.segment == tally.segment;
            let mut behind = if is_begun { tally } else { self.held().tally_from(tally, next.segment) };
            // A run of presence updates goes if it is too old, or if an entry after it has to go.
            if !exceeds(&self.retention, now, behind.held(), next.time) {
                break;
            }
            writing.oldest.pop_front();
            behind.passed += next.amounts(oldest);
            tally = behind;
            // A damaged entry before this one goes with it. Several damaged entries are one step.
            passed += 1;
            oldest = next.last.next();
        }
        if oldest > before.oldest {
            self.pass(oldest, tally);
        }
        self.presence().discard(oldest, self.retention.age_ms, now);
        Ok(passed)
    }

    /// Sets the oldest offset of the log, and the tally of its records. Removes segments that have only older entries.
    fn pass(&self, oldest: Offset, tally: Tally) {
        let mut held = self.held_mut();
        let begins_in = held.segment_of(oldest).map_or(Offset::ZERO, |segment| segment.first);
        let tally = held.tally_from(tally, begins_in);
        held.bounds.oldest = oldest;
        held.set_tally(tally);
        while held.segments.get(1).is_some_and(|next| next.first <= oldest) {
            let Some(segment) = held.segments.pop_front() else { break };
            self.remove(&mut held, &segment);
        }
    }

    /// Removes the files of a segment, except the file with the hashes of publishers' IDs.
    fn remove(&self, held: &mut Held, segment: &Segment) {
        let first = segment.first;
        self.files.forget(first);
        if let Index::Memory(index) = &segment.state().index {
            _ = segment.write_ids(&self.directory, index);
        }
        for kind in [Kind::Index, Kind::Erased, Kind::Log] {
            match fs::remove_file(self.directory.file(first, kind)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, segment = first.0, "a segment that was discarded cannot be removed");
                }
                _ => {}
            }
        }
        // A rewrite of the segment that was interrupted may have left this file.
        _ = fs::remove_file(super::rewrite::unfinished(&self.directory.file(first, Kind::Log)));
        let ids = fs::File::open(self.directory.file(first, Kind::Ids));
        if let Some(ids) = ids.ok().and_then(|file| Ids::open(&file, segment.seeds.ids()).ok()) {
            held.old_ids.push_back((first, ids));
        }
        self.forget_ids(&mut held.old_ids);
    }

    /// Removes the oldest tables of the hashes of publishers' IDs as long as the remaining tables still have
    /// [`REMEMBERED_IDS`] IDs.
    pub(super) fn forget_ids(&self, old: &mut VecDeque<(Offset, Ids)>) {
        let mut count: u64 = old.iter().map(|(_, ids)| ids.count).sum();
        while let Some((first, ids)) = old.front() {
            if count - ids.count < REMEMBERED_IDS {
                break;
            }
            count -= ids.count;
            _ = fs::remove_file(self.directory.file(*first, Kind::Ids));
            old.pop_front();
        }
    }

    /// Records the newest offset of a log that has become empty: makes a segment without entries, whose name is the
    /// offset after the newest one.
    fn remember_head(&self, writing: &mut Writing) -> Result<(), LogError> {
        let Bounds { oldest, head, .. } = self.bounds();
        let last_has_records = self.held().segments.back().is_some_and(|last| last.first <= head);
        if oldest <= head || !last_has_records || self.check().is_err() {
            return Ok(());
        }
        let active = self.begin_segment(oldest, &self.epochs(), &[])?;
        self.held_mut().segments.push_back(active.segment.clone());
        // An epoch begins with its first entry. If this process has appended none yet, its first append begins a new
        // segment, whose head has the new epoch. So the empty segment does not become the active segment.
        writing.active = (self.epochs().current() == writing.epoch).then_some(active);
        let tally = self.held().tally;
        self.pass(oldest, tally);
        Ok(())
    }

    /// Reads the offsets, times and sizes of the next entries from `from` on, so that retention can decide whether to
    /// discard them.
    fn read_ahead(&self, from: Offset, bounds: &Bounds, ahead: &mut VecDeque<Ahead>) -> Result<(), LogError> {
        let mut from = from;
        while ahead.is_empty() && from <= bounds.head {
            let Some((segment, last)) = self.segment_with(from) else { break };
            let file = match self.open(&segment, Kind::Log) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    from = last.next();
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let at = self.place(&segment, from)?;
            let mut scan = Scan::new(&file, at..segment.summary().log_bytes, segment.seeds.segment);
            while let Some((_, piece)) = scan.next()? {
                let Piece::Record(record) = piece else { continue };
                let (first, end) = (record.position.offset, record.last());
                if first > last || ahead.len() >= AHEAD {
                    break;
                }
                if end >= from && ahead.back().is_none_or(|before| before.last < first) {
                    let bytes = (!record.is_of_presence()).then(|| record.bytes().len() as u64);
                    let (segment, last, time) = (segment.first, end.min(last), record.time);
                    ahead.push_back(Ahead { segment, first, last, time, bytes });
                }
            }
            from = last.next();
        }
        Ok(())
    }

    /// Returns the segment that contains `offset`, and the last offset that can be in it.
    pub(super) fn segment_with(&self, offset: Offset) -> Option<(Arc<Segment>, Offset)> {
        let held = self.held();
        let segment = held.segment_of(offset)?.clone();
        let last = held.last_of(&segment);
        Some((segment, last))
    }
}

/// True if the oldest entry of a log with these amounts may have to be discarded. The age of this entry is not known
/// yet.
fn may_exceed(retention: &Retention, held: Amounts) -> bool {
    retention.age_ms.is_some() || is_too_much(retention, held)
}

/// True if the oldest entry of a log with these amounts has to be discarded; `time` is the time of this entry.
fn exceeds(retention: &Retention, now: Timestamp, held: Amounts, time: Timestamp) -> bool {
    is_too_much(retention, held) || retention.age_ms.is_some_and(|limit| now.0.saturating_sub(time.0) > limit)
}

fn is_too_much(retention: &Retention, held: Amounts) -> bool {
    retention.count.is_some_and(|limit| held.entries > limit) || retention.bytes.is_some_and(|limit| held.bytes > limit)
}
