//! The way from a subscriber's last event ID to the place where it goes on. Whatever it cannot be given is told
//! as a gap; nothing is guessed.
use super::{Found, Log, LogError};
use crate::{
    audience_key::AudienceKey,
    entry::Timestamp,
    gap::GapReason,
    position::{Offset, Position},
    update::EARLIEST,
};
use fanfare_event_stream::EventId;

/// The place where a subscriber goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The offset that it is taken to have seen: everything behind it follows.
    pub after: Offset,
    /// The reason why this is not the place it asked for.
    pub gap: Option<GapReason>,
}

/// Finds the place that `requested` names for a subscriber: an ID made by the hub, a publisher's own ID, or
/// [`EARLIEST`].
///
/// An ID that only updates have which the subscriber may not receive is answered as one that no update has.
///
/// # Errors
/// [`LogError`] if the log cannot look the ID up.
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

/// The place of an update that a subscriber may have seen, and whether it is one that it subscribed to.
fn seen(found: &Found, key: &AudienceKey) -> Option<(Offset, bool)> {
    let (topics, private) = match found {
        Found::Entry(entry) => (entry.update.topics(), entry.update.is_private()),
        Found::Discarded(discarded) => (&*discarded.topics, discarded.private),
        // Nobody knows its topics any more. A private one is known to those who have a grant.
        Found::Erased(erasure) => {
            return (!erasure.private || !key.granted.is_empty()).then_some((erasure.offset, true));
        }
        Found::Lost(..) => return None,
    };
    key.may_receive_of(topics, private).then(|| (found.offset(), key.matches(topics)))
}

/// The same for what need not be looked up: [`EARLIEST`] and the IDs that the hub makes; `None` for a publisher's own.
#[must_use]
pub fn resolve_position(log: &dyn Log, requested: &str) -> Option<Resolved> {
    let bounds = log.bounds();
    let floor = bounds.floor();
    let exactly = |after| Resolved { after, gap: None };
    let gap = |after: Offset, reason| Resolved { after: after.max(floor), gap: Some(reason) };
    if requested == EARLIEST {
        return Some(exactly(floor));
    }
    let Position { epoch, offset } = Position::parse(requested)?;
    Some(match log.epochs().end(epoch, bounds.head) {
        None => gap(floor, GapReason::ForeignEpoch),
        Some(end) if offset > end => gap(end, GapReason::Future),
        Some(_) if offset < floor => gap(floor, GapReason::Discarded),
        Some(_) => exactly(offset),
    })
}
