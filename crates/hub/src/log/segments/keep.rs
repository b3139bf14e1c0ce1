//! The keeper: a thread that looks after the log once a second. It rewrites segments in which something is dead, and
//! notices when files are gone.
use super::{
    directory::Kind,
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

/// The time between two looks at the log.
const INTERVAL: Duration = Duration::from_secs(1);
/// A segment is rewritten when something in it has been dead for this long: it is gone from disk within 10 minutes.
pub const DEAD_PATIENCE: Duration = Duration::from_secs(8 * 60);
/// A segment of which retention has discarded a part is rewritten without it when it has not been removed for this
/// long.
pub const DISCARDED_PATIENCE: Duration = Duration::from_secs(60 * 60);
/// A sealed segment is rewritten at once if one in so many of its entries was erased.
const ERASED_SHARE: u64 = 4;

/// The time for which dead entries may stay.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) dead_ms: u64,
    pub(super) discarded_ms: u64,
}

impl Default for Patience {
    fn default() -> Self {
        let ms = |patience: Duration| u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        Self { dead_ms: ms(DEAD_PATIENCE), discarded_ms: ms(DISCARDED_PATIENCE) }
    }
}

impl Store {
    /// Looks after the log until `end` is closed.
    pub(super) fn keep_until(&self, end: &Receiver<()>) {
        let mut warned = false;
        while end.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
            self.notice_what_is_gone();
            match self.keep(Patience::default()) {
                Ok(()) => warned = false,
                Err(error) if !warned => {
                    tracing::warn!(%error, "what is dead in the log cannot be removed from disk: it is tried again");
                    warned = true;
                }
                Err(_) => {}
            }
        }
    }

    /// Rewrites the segments for which it is time, one after the other.
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
        // One that is written would be sealed by that, small as it is, with each request.
        let is_sealed = !self.is_active(segment);
        if erased > 0 && is_sealed && erased * ERASED_SHARE >= summary.end.0 - segment.first.0 {
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
        // Which of its entries have the topics of a rule is not in the index.
        let dies = self.first_death(segment)?;
        let mut state = segment.state_mut();
        state.dead_since = state.dead_since.min(dies);
        // Of a segment that is written, more will be known later.
        state.looked_at = is_sealed;
        Ok(for_long(dies, patience.dead_ms))
    }

    /// The first time at which something in a segment dies that is not dead on disk.
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

    /// Ends the segment if it is the one that is written: the next entry begins another one.
    fn seal_active(&self, segment: &Arc<Segment>) {
        let mut writing = self.writing();
        if let Some(active) = writing.active.take_if(|active| Arc::ptr_eq(&active.segment, segment)) {
            _ = active.file.set_len(segment.summary().log_bytes);
        }
    }

    /// Stops the log if its files have vanished: what is written to a file that nobody finds again is lost.
    fn notice_what_is_gone(&self) {
        if self.check().is_err() {
            return;
        }
        if !self.directory.is_there() {
            self.stop("its directory has vanished, or another one has taken its place");
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
                self.stop(&format!("its file {} has vanished, or another one has taken its place", path.display()));
                return;
            }
        }
    }
}
