//! From the last event ID that a subscriber presents to the place it goes on from. Whatever it cannot be given is told
//! as a gap; nothing is guessed.
use super::{Log, LogError, ReadLimit};
use crate::{
    entry::Entry,
    position::{Offset, Position},
    update::EARLIEST,
};
use fanfare_event_stream::EventId;
use std::{fmt, sync::Arc};

/// The place where a subscriber goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The offset that it is taken to have seen: everything behind it follows.
    pub after: Offset,
    /// The reason why this is not the place it asked for.
    pub gap: Option<GapReason>,
}

/// The reason why a subscriber may have missed updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// Retention has discarded updates behind the one it saw last, or damage has destroyed them.
    Discarded,
    /// No update that is held has this ID.
    Unknown,
    /// The ID was made by another log, or so long ago that its epoch is forgotten.
    ForeignEpoch,
    /// The ID lies beyond the end of its epoch: that future was lost, in a restored backup or a damaged file.
    Future,
}

/// The entries that [`follow`] read.
#[derive(Clone, Debug)]
pub struct Run {
    /// If updates are missing between the place asked for and the entries: the offset directly before the entries. Tell
    /// a gap ([`GapReason::Discarded`]) and go on from here.
    pub hole: Option<Offset>,
    /// The entries, in order and without holes.
    pub entries: Vec<Arc<Entry>>,
}

/// Finds the place that `requested` names: an ID made by the hub, a publisher's own ID (its oldest entry held), or
/// [`EARLIEST`].
///
/// # Errors
/// [`LogError`] if the log cannot look the ID up.
pub fn resolve(log: &dyn Log, requested: &str) -> Result<Resolved, LogError> {
    if let Some(resolved) = resolve_position(log, requested) {
        return Ok(resolved);
    }
    let located = match EventId::new(requested) {
        Ok(id) => log.locate(&id)?,
        Err(_) => None,
    };
    let unknown = Resolved { after: floor(log), gap: Some(GapReason::Unknown) };
    Ok(located.map_or(unknown, |after| Resolved { after, gap: None }))
}

/// The same for what need not be looked up: [`EARLIEST`] and the IDs that the hub makes; `None` for a publisher's own.
#[must_use]
pub fn resolve_position(log: &dyn Log, requested: &str) -> Option<Resolved> {
    let floor = floor(log);
    let exactly = |after| Resolved { after, gap: None };
    let gap = |after: Offset, reason| Resolved { after: after.max(floor), gap: Some(reason) };
    if requested == EARLIEST {
        return Some(exactly(floor));
    }
    let Position { epoch, offset } = Position::parse(requested)?;
    Some(match log.epochs().end(epoch, log.bounds().head) {
        None => gap(floor, GapReason::ForeignEpoch),
        Some(end) if offset > end => gap(end, GapReason::Future),
        Some(_) if offset < floor => gap(floor, GapReason::Discarded),
        Some(_) => exactly(offset),
    })
}

/// The place before everything that the log holds.
fn floor(log: &dyn Log) -> Offset {
    Offset(log.bounds().oldest.0 - 1)
}

/// Reads on behind `after`, and says if what directly follows it is no longer there.
///
/// When it returns neither a hole nor entries, `after` was the head.
///
/// # Errors
/// [`LogError`] if the log cannot read.
pub fn follow(log: &dyn Log, after: Offset, limit: ReadLimit) -> Result<Run, LogError> {
    // Asked first: what is appended between the two calls is no hole.
    let head = log.bounds().head;
    let entries = log.read(after, limit)?;
    let before = entries.first().map_or(head, |entry| Offset(entry.position.offset.0 - 1));
    Ok(Run { hole: (before > after).then_some(before), entries })
}

impl GapReason {
    /// The word for it on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discarded => "discarded",
            Self::Unknown => "unknown",
            Self::ForeignEpoch => "foreign-epoch",
            Self::Future => "future",
        }
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
