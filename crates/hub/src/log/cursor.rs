//! Finds the position in the log from which a subscriber continues, by its last event ID. If this position is not known
//! for certain, or updates after it are missing, the result has the reason for a gap event.
use super::{Found, Log, LogError};
use crate::{
    audience_key::AudienceKey,
    entry::Timestamp,
    gap::GapReason,
    position::{Offset, Position},
    update::{EARLIEST, MAX_ID_BYTES},
};
use fanfare_event_stream::EventId;

/// The position in the log from which a subscriber continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The offset after which the subscriber gets every matching update that the log has.
    pub after: Offset,
    /// The reason why `after` is not, or may not be, the position that the subscriber asked for; `None` if `after` is
    /// this position.
    pub gap: Option<GapReason>,
}

/// Finds the position from which a subscriber continues. `requested` is the subscriber's last event ID: an ID that the
/// hub made, a publisher's own ID, or [`EARLIEST`].
///
/// If the subscriber may not receive any of the updates with this ID, the result is the same as if no update had the
/// ID.
///
/// # Errors
/// [`LogError`] if the log cannot be searched for the ID.
pub fn resolve(log: &dyn Log, requested: &str, key: &AudienceKey, now: Timestamp) -> Result<Resolved, LogError> {
    if let Some(resolved) = resolve_position(log, requested) {
        return Ok(resolved);
    }
    let unknown = Resolved { after: log.bounds().floor(), gap: Some(GapReason::Unknown) };
    let Ok(id) = EventId::new(requested) else { return Ok(unknown) };
    let candidates = log.locate(&id, now)?;
    let visible: Vec<_> = candidates.held.iter().filter_map(|found| seen(found, key)).collect();
    let mut subscribed = visible.iter().filter(|(_, is_subscribed)| *is_subscribed).map(|(offset, _)| *offset);
    let (first, second) = (subscribed.next(), subscribed.next());
    Ok(match (first, second, visible.first()) {
        (_, _, None) => unknown,
        (Some(after), None, _) if !candidates.discarded && !candidates.more => Resolved { after, gap: None },
        (first, _, Some((oldest, _))) => Resolved { after: first.unwrap_or(*oldest), gap: Some(GapReason::Ambiguous) },
    })
}

/// Returns the offset of an update that a subscriber may have received, and true if the subscriber subscribed to one of
/// its topics; `None` if the subscriber cannot have received the update.
fn seen(found: &Found, key: &AudienceKey) -> Option<(Offset, bool)> {
    let (topics, private) = match found {
        Found::Entry(entry) => (entry.update.topics(), entry.update.is_private()),
        Found::Discarded(discarded) => (&*discarded.topics, discarded.private),
        // The topics of an erased update are not known any more, so the subscriber is treated as subscribed to one of
        // them. If the update was private, only a subscriber with a grant can have received it.
        Found::Erased(erasure) => {
            return (!erasure.private || !key.granted.is_empty()).then_some((erasure.offset, true));
        }
        Found::Lost(..) | Found::PresenceLost(..) => return None,
    };
    key.may_receive_of(topics, private).then(|| (found.offset(), key.matches(topics)))
}

/// Does the same as [`resolve`] for IDs that can be resolved without a search: [`EARLIEST`], the IDs that the hub makes,
/// and texts that no publisher can have chosen as an ID. Returns `None` for a publisher's own ID.
#[must_use]
pub fn resolve_position(log: &dyn Log, requested: &str) -> Option<Resolved> {
    let bounds = log.bounds();
    let floor = bounds.floor();
    let exactly = |after| Resolved { after, gap: None };
    let gap = |after: Offset, reason| Resolved { after: after.max(floor), gap: Some(reason) };
    if requested == EARLIEST {
        return Some(exactly(floor));
    }
    let Some(Position { epoch, offset }) = Position::parse(requested) else {
        // Whoever asks for such an ID need not wait for a turn to read the log, with a text of up to 64 KiB in memory.
        let is_possible = requested.len() <= MAX_ID_BYTES && EventId::new(requested).is_ok();
        return (!is_possible).then(|| gap(floor, GapReason::Unknown));
    };
    Some(match log.epochs().end(epoch, bounds.head) {
        None => gap(floor, GapReason::ForeignEpoch),
        Some(end) if offset > end => gap(end, GapReason::Future),
        Some(_) if offset < floor => gap(floor, GapReason::Discarded),
        Some(_) => exactly(offset),
    })
}
