//! Retention: moves the beginning of the log forward, entry by entry, and removes a segment when all its entries are
//! before the beginning of the log.
use super::{
    directory::Kind,
    index::Index,
    index_file::Ids,
    scan::{Piece, Scan},
    segment::Segment,
    store::{Ahead, Held, Store, Writing},
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
        let before = self.bounds();
        let Bounds { head, mut oldest, mut presence } = before;
        let mut bytes = self.held().bytes;
        let mut passed = 0;
        while oldest <= head && passed < budget {
            let count = (head.0 + 1 - oldest.0).saturating_sub(presence);
            if writing.oldest.is_empty() && !may_exceed(&self.retention, count, bytes) {
                break;
            }
            if writing.oldest.front().is_none_or(|next| next.last < oldest) {
                writing.oldest.clear();
                self.read_ahead(oldest, &before, &mut writing.oldest)?;
            }
            // The time and size of a damaged entry are not known. This entry is discarded together with the next entry
            // that can be read.
            let Some(next) = writing.oldest.front().copied() else { break };
            let first = next.first.max(oldest);
            let count = (head.0 + 1 - first.0).saturating_sub(presence);
            // A run of presence updates goes if it is too old, or if an entry after it has to go.
            if !exceeds(&self.retention, now, (count, bytes, next.time)) {
                break;
            }
            writing.oldest.pop_front();
            match next.bytes {
                Some(size) => bytes = bytes.saturating_sub(size),
                None => presence = presence.saturating_sub(next.last.0 + 1 - first.0),
            }
            // A damaged entry before this one goes with it. Several damaged entries are one step.
            passed += 1;
            oldest = next.last.next();
        }
        if oldest > before.oldest {
            self.pass(oldest, bytes, presence);
        }
        self.presence().discard(oldest, self.retention.age_ms, now);
        Ok(passed)
    }

    /// Sets the oldest offset of the log, the number of bytes of its records, and the number of its offsets that belong
    /// to presence updates. Removes segments that have only older entries.
    fn pass(&self, oldest: Offset, bytes: u64, presence: u64) {
        let mut held = self.held_mut();
        (held.bounds.oldest, held.bounds.presence) = (oldest, presence);
        held.bytes = bytes;
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
        self.pass(oldest, 0, 0);
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
                    ahead.push_back(Ahead { first, last: end.min(last), time: record.time, bytes });
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

/// True if the oldest entry may have to be discarded. The age of this entry is not known yet.
fn may_exceed(retention: &Retention, count: u64, bytes: u64) -> bool {
    retention.age_ms.is_some()
        || retention.count.is_some_and(|limit| count > limit)
        || retention.bytes.is_some_and(|limit| bytes > limit)
}

/// True if the oldest entry of a log with this many entries and bytes has to be discarded.
fn exceeds(retention: &Retention, now: Timestamp, (count, bytes, time): (u64, u64, Timestamp)) -> bool {
    retention.count.is_some_and(|limit| count > limit)
        || retention.bytes.is_some_and(|limit| bytes > limit)
        || retention.age_ms.is_some_and(|limit| now.0.saturating_sub(time.0) > limit)
}
