//! The keeper: a thread that checks the log once a second. It rewrites segments that contain dead entries, and notices
//! if files have vanished. A dead entry is one that was erased, has expired or was discarded, but is still on disk.
use super::{
    directory::Kind,
    index::Index,
    scan::{Piece, Scan},
    segment::Segment,
    store::Store,
};
use crate::{
    entry::Timestamp,
    log::{Found, LogError},
    position::Offset,
};
use std::{
    fs, io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

/// The time between two checks of the log.
const INTERVAL: Duration = Duration::from_secs(1);
/// The time for which an erased or expired entry may be on disk before its segment is rewritten. This leaves two
/// minutes for the rewrite, so that the entry is gone from disk within 10 minutes.
pub const DEAD_PATIENCE: Duration = Duration::from_secs(8 * 60);
/// The time after which a segment is rewritten if retention has discarded only a part of it.
pub const DISCARDED_PATIENCE: Duration = Duration::from_secs(60 * 60);
/// The number of entries of a sealed segment of which one must be erased so that the segment is rewritten at once: with
/// 4, a quarter of its entries.
const ERASED_SHARE: u64 = 4;

/// The number of bytes of surplus records of presence updates in the active segment above which it is written again,
/// with one record for each run of presence updates. A busy hub adds as many bytes in some minutes.
const SPARE_BYTES: u64 = 1 << 20;

/// The times for which dead entries may stay on disk, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) dead_ms: u64,
    pub(super) discarded_ms: u64,
    /// The number of bytes of surplus records of presence updates that may be in the active segment.
    pub(super) spare_bytes: u64,
}

impl Default for Patience {
    fn default() -> Self {
        let ms = |patience: Duration| u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        Self { dead_ms: ms(DEAD_PATIENCE), discarded_ms: ms(DISCARDED_PATIENCE), spare_bytes: SPARE_BYTES }
    }
}

impl Store {
    /// Runs the keeper until the sender of `end` is dropped.
    pub(super) fn keep_until(&self, end: &Receiver<()>) {
        let mut warned = false;
        while end.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
            self.notice_what_is_gone();
            match self.keep(Patience::default()) {
                Ok(()) => warned = false,
                // The hub ends after such an error, and says so.
                Err(LogError::Failed(_)) => {}
                Err(error) if !warned => {
                    tracing::warn!(%error, "erased and expired updates cannot be removed from disk: the log tries again");
                    warned = true;
                }
                Err(_) => {}
            }
        }
    }

    /// Rewrites the segments whose dead entries have been on disk for as long as `patience` says, one after the other.
    pub(super) fn keep(&self, patience: Patience) -> Result<(), LogError> {
        let _keeping = self.keeping();
        if self.check().is_err() {
            return Ok(());
        }
        let now = self.hear(Timestamp(0));
        let (segments, oldest) = {
            let held = self.held();
            (held.segments.clone(), held.bounds.oldest)
        };
        for segment in segments {
            if self.is_due(&segment, oldest, now, patience)? {
                self.seal_active(&segment);
                self.rewrite(&segment, now)?;
            } else if spare_bytes(&segment) >= patience.spare_bytes {
                self.compact(&segment, now)?;
            }
        }
        Ok(())
    }

    fn is_due(
        &self,
        segment: &Arc<Segment>,
        oldest: Offset,
        now: Timestamp,
        patience: Patience,
    ) -> Result<bool, LogError> {
        let for_long = |since: Timestamp, ms: u64| since <= now && now.0 - since.0 >= ms;
        let (dead_since, summary, erased) = {
            let mut state = segment.state_mut();
            if state.is_withheld {
                return Ok(false);
            }
            if segment.first < oldest && state.summary.end > oldest {
                state.discarded_since = state.discarded_since.min(now);
            }
            if for_long(state.discarded_since, patience.discarded_ms) {
                return Ok(true);
            }
            (state.dead_since.min(state.summary.next_expiry), state.summary, state.erased.len() as u64)
        };
        // The active segment is not rewritten at once: this would seal it, so each request to erase would leave a small
        // segment.
        let is_sealed = !self.is_active(segment);
        if erased > 0 && is_sealed && erased * ERASED_SHARE >= summary.amounts(segment.first).entries {
            return Ok(true);
        }
        if for_long(dead_since, patience.dead_ms) {
            return Ok(true);
        }
        let least_age = self.retention.topics.iter().map(|rule| rule.age_ms).min();
        let may_be_dead = least_age
            .is_some_and(|age| for_long(Timestamp(summary.first_time.0.saturating_add(age)), patience.dead_ms));
        if !may_be_dead || segment.state().looked_at {
            return Ok(false);
        }
        // The index does not say which entries have topics with a lower age limit, so the entries are read.
        let dies = self.first_death(segment)?;
        let mut state = segment.state_mut();
        state.dead_since = state.dead_since.min(dies);
        // More entries will be appended to the active segment, so its entries have to be read again later.
        state.looked_at = is_sealed;
        Ok(for_long(dies, patience.dead_ms))
    }

    /// Returns the first time at which an entry in the file of a segment expires or exceeds the age limit of its
    /// topics. Records that remain of erased or discarded entries are ignored.
    fn first_death(&self, segment: &Segment) -> io::Result<Timestamp> {
        let file = self.open(segment, Kind::Log)?;
        let mut scan = Scan::new(&file, 0..segment.summary().log_bytes, segment.seeds.segment);
        let mut dies = Timestamp(u64::MAX);
        while let Some((_, piece)) = scan.next()? {
            if let Piece::Record(record) = piece
                && let Some(Found::Entry(entry)) = record.found()
            {
                dies = dies.min(self.retention.dies(&entry));
            }
        }
        Ok(dies)
    }

    fn is_active(&self, segment: &Arc<Segment>) -> bool {
        self.writing().active.as_ref().is_some_and(|active| Arc::ptr_eq(&active.segment, segment))
    }

    /// Seals the segment if it is the active one: the next entry begins a new segment.
    fn seal_active(&self, segment: &Arc<Segment>) {
        let mut writing = self.writing();
        if let Some(active) = writing.active.take_if(|active| Arc::ptr_eq(&active.segment, segment)) {
            _ = active.file.set_len(segment.summary().log_bytes);
        }
    }

    /// Stops the log if its files have vanished, because what is written to a file without a name is lost.
    fn notice_what_is_gone(&self) {
        if self.check().is_err() {
            return;
        }
        if !self.directory.is_there() {
            self.vanished("the directory");
            return;
        }
        let segments = self.held().segments.clone();
        for segment in segments {
            let path = self.directory.file(segment.first, Kind::Log);
            let is_there = {
                let writing = self.writing();
                match &writing.active {
                    Some(active) if Arc::ptr_eq(&active.segment, &segment) => self.directory.has(&path, &active.file),
                    _ => fs::symlink_metadata(&path).is_ok(),
                }
            };
            let is_held = || self.held().segments.iter().any(|held| held.first == segment.first);
            if !is_there && is_held() {
                self.vanished(&format!("the file {}", path.display()));
                return;
            }
        }
    }
}

fn spare_bytes(segment: &Segment) -> u64 {
    match &segment.state().index {
        Index::Memory(index) => index.spare_bytes(),
        Index::File(_) | Index::Missing => 0,
    }
}
