//! An opening: a subscription whose start is decided and that has not joined its audience yet. The last event ID of its
//! subscriber was resolved to a position in the log, and to a gap event if updates are missing. The next step is to
//! join the audience, as a polled subscription or as a member of a shard.
pub use crate::join_permit::JoinPermit;
use crate::{
    audience_key::AudienceKey,
    catch_up,
    ending::EndReason,
    entry::Timestamp,
    fan_out::Joining,
    gap::{Gap, GapReason},
    log::{LogError, cursor::Resolved},
    position::Offset,
    replay::Replay,
    rewind::Rewind,
    shared::Shared,
    subscription::{Start, Subscription},
    update::EARLIEST,
};
use bytes::Bytes;
use std::{fmt, sync::Arc, time::Instant};

/// A subscription that has not begun: its audience, and the position where it begins.
pub struct Opening {
    hub: Arc<Shared>,
    key: Arc<AudienceKey>,
    place: Place,
    /// The bytes that are sent first: a gap event if updates that were asked for are missing, or the beginning of a
    /// rewind (the newest updates of each topic); `None` if there is neither.
    gap: Option<Bytes>,
    /// The updates of a rewind for which `gap` has no room. They are sent after `gap`.
    rewind: Option<Rewind>,
    /// The time when the hub ends the stream, and tells the subscriber the `end_reason` if there is one; `None` if the
    /// hub does not end the stream.
    ends: Option<Instant>,
    end_reason: Option<EndReason>,
    /// The permit to join the audience; `None` until [`Self::admit`] has returned.
    permit: Option<JoinPermit>,
}

enum Place {
    /// The newest offset of the log at the moment when the subscriber joins its audience.
    Head,
    /// A fixed position: the subscriber gets the updates after this offset. The text is the ID that names this position
    /// to the subscriber; it may be `earliest`.
    Behind(Offset, String),
}

impl Opening {
    pub(crate) async fn of(hub: Arc<Shared>, key: AudienceKey, start: Start) -> Result<Self, LogError> {
        let key = Arc::new(key);
        if let Start::Newest(count) = start {
            return Self::rewound(hub, key, count).await;
        }
        let (place, gap) = match start {
            Start::Newest(_) => unreachable!("`Start::Newest` was handled above"),
            Start::Since(time) => {
                let after = hub.clone().place_at(time).await?;
                (Place::Behind(after, hub.id_behind(after)), None)
            }
            Start::Now => (Place::Head, None),
            Start::After(requested) => {
                place(&hub, &key, hub.clone().resolve(requested.clone(), key.clone()).await?, requested)
            }
            Start::AfterEither(requested, otherwise) => {
                let (found, requested) = either(&hub, &key, requested, otherwise).await?;
                place(&hub, &key, found, requested)
            }
        };
        Ok(Self { hub, key, place, gap, rewind: None, ends: None, end_reason: None, permit: None })
    }

    /// Returns an opening that begins with the newest updates of each topic, at most `count` for each. They are
    /// followed by all updates that are appended from now on.
    async fn rewound(hub: Arc<Shared>, key: Arc<AudienceKey>, count: usize) -> Result<Self, LogError> {
        let head = hub.bounds().head;
        let rewind = hub.clone().find_newest(key.clone(), count, head).await?;
        let id = hub.id_behind(rewind.begins_after().unwrap_or(head));
        let (bytes, rest) = hub.clone().rewind(key.clone(), rewind).await?;
        let (gap, rewind) = (Some(bytes).filter(|bytes| !bytes.is_empty()), Some(rest).filter(|rest| !rest.is_over()));
        Ok(Self { hub, key, place: Place::Behind(head, id), gap, rewind, ends: None, end_reason: None, permit: None })
    }

    /// Sets the time when the hub ends the stream, and the reason that the subscriber gets then. If `ends` is `None`,
    /// the hub does not end the stream. If `end_reason` is `None`, it sends no reason.
    #[must_use]
    pub fn until(self, ends: Option<Instant>, end_reason: Option<EndReason>) -> Self {
        Self { ends, end_reason, ..self }
    }

    /// True if the first bytes include all updates of the rewind, or if there is no rewind. Only then can a shard take
    /// the subscriber.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.rewind.is_none()
    }

    /// The ID of the position where the subscriber starts: it gets the updates after this position. The ID is
    /// `earliest` if this position is before all updates. If the subscriber starts at the newest offset of the log,
    /// this call fixes which offset that is.
    pub fn resumed_from(&mut self) -> &str {
        if let Place::Head = self.place {
            let head = self.hub.bounds().head;
            self.place = Place::Behind(head, self.hub.id_behind(head));
        }
        match &self.place {
            Place::Behind(_, id) => id,
            Place::Head => unreachable!("the position was fixed above"),
        }
    }

    /// The audience of the subscriber: its topics, its grant and its format.
    #[must_use]
    pub fn key(&self) -> &AudienceKey {
        &self.key
    }

    /// Joins the audience as a subscription that is polled.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing has happened.
    pub async fn subscribe(mut self) -> Subscription {
        let resumed_from = self.resumed_from().to_owned();
        let (hub, rewind) = (self.hub.clone(), self.rewind.take());
        self.admit().await;
        let (joining, permit) = self.take_apart();
        Subscription::join(hub, joining, permit, resumed_from, rewind)
    }

    /// Returns a replay, which reads what the log holds, instead of joining the audience. First waits until the
    /// publications that are in the queue to the log at the time of the call have been appended, at most for
    /// [`SETTLE_TIMEOUT`](crate::hub::SETTLE_TIMEOUT), so that the replay includes them.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing has happened.
    pub async fn replay(self) -> Replay {
        // The writer handles its queue in order, so this waits for all earlier publications.
        self.hub.drain().await;
        let cursor = match self.place {
            Place::Head => self.hub.bounds().head,
            Place::Behind(offset, _) => offset,
        };
        Replay::new(self.hub, self.key, cursor, self.gap, self.rewind)
    }

    /// Waits until the subscriber may join its audience. After this call, the caller must join at once and must not
    /// wait for a peer: only [`CONCURRENT_JOINS`](crate::hub::CONCURRENT_JOINS) subscribers may be joining at the same
    /// time, and further subscribers wait for them.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing has happened.
    pub async fn admit(&mut self) {
        let permit = self.hub.joins.clone().acquire_owned().await.expect("the semaphore is never closed");
        self.permit = Some(permit.into());
    }

    /// Returns what a driver, such as a shard, needs to join the audience.
    ///
    /// # Panics
    /// If the opening [is not short](Self::is_short), or was not [admitted](Self::admit).
    #[must_use]
    pub fn join(self) -> (Joining, JoinPermit) {
        assert!(self.is_short(), "a shard would not send the rest of the rewind");
        self.take_apart()
    }

    fn take_apart(self) -> (Joining, JoinPermit) {
        let cursor = match self.place {
            Place::Head => None,
            Place::Behind(offset, _) => Some(offset),
        };
        let Self { key, gap, ends, end_reason, permit, .. } = self;
        let opening = gap.unwrap_or_default();
        (Joining { key, cursor, opening, ends, end_reason }, permit.expect("the opening was admitted before it joins"))
    }
}

/// Finds the position of an ID whose bytes may be meant as UTF-8 or as Latin-1: `requested` and `otherwise` are the two
/// readings. Returns the position and the ID that was used. This is `otherwise` only if no update has the ID
/// `requested`, and `otherwise` is found without a gap.
async fn either(
    hub: &Arc<Shared>,
    key: &Arc<AudienceKey>,
    requested: String,
    otherwise: String,
) -> Result<(Resolved, String), LogError> {
    let found = hub.clone().resolve(requested.clone(), key.clone()).await?;
    if found.gap == Some(GapReason::Unknown) {
        let other = hub.clone().resolve(otherwise.clone(), key.clone()).await?;
        if other.gap.is_none() {
            return Ok((other, otherwise));
        }
    }
    Ok((found, requested))
}

/// Returns the position that was found for the ID `requested`, and the encoded gap event, if there is a gap.
fn place(hub: &Shared, key: &AudienceKey, found: Resolved, requested: String) -> (Place, Option<Bytes>) {
    let Resolved { after, gap: Some(reason) } = found else { return (Place::Behind(found.after, requested), None) };
    let resumed_from = catch_up::id_of(&*hub.log, after);
    let before_all = after < hub.bounds().oldest;
    let answer = if before_all { EARLIEST.into() } else { resumed_from.clone() };
    let mut bytes = Vec::new();
    let gap = Gap { requested: shown(requested), resumed_from, reason };
    key.representation.encode_gap(&gap, Timestamp::now(), &mut bytes);
    (Place::Behind(after, answer), Some(bytes.into()))
}

/// Returns the ID as a gap event shows it: with U+FFFD in place of control characters, which no ID of an update has. If
/// the ID has control characters, its bytes are probably UTF-8 that was read as Latin-1, so they are read as UTF-8
/// first.
fn shown(requested: String) -> String {
    if !requested.contains(char::is_control) {
        return requested;
    }
    let bytes: Option<Vec<u8>> = requested.chars().map(|character| u8::try_from(character).ok()).collect();
    let text = bytes.map_or(requested, |bytes| String::from_utf8_lossy(&bytes).into_owned());
    text.replace(char::is_control, "\u{fffd}")
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("key", &self.key).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_shown_without_control_characters() {
        for (requested, expected) in [
            ("café…", "café…"),
            ("Ã©", "Ã©"),
            ("a\u{80}b", "a\u{fffd}b"),
            ("Ã©\u{80}", "é\u{fffd}"),
            ("caf\u{e9}\u{80}", "caf\u{fffd}"),
            ("\0\r\n", "\u{fffd}\u{fffd}\u{fffd}"),
            ("…\u{7f}", "…\u{fffd}"),
        ] {
            assert_eq!(shown(requested.to_owned()), expected, "{requested:?}");
        }
    }
}
