//! An opening: a subscription whose start is decided and that has not joined its audience yet. The last event ID of its
//! subscriber was resolved to a position in the log, and to a gap event if updates are missing. The next step is to
//! join the audience, as a polled subscription or as a member of a shard.
pub use crate::join_permit::JoinPermit;
use crate::{
    audience_key::AudienceKey,
    budget::{self, OverBudget, Room},
    catch_up,
    ending::EndReason,
    entry::Timestamp,
    fan_out::{Joining, Places},
    framing::Framing,
    gap::{Gap, GapReason},
    log::{LogError, cursor::Resolved},
    position::Offset,
    replay::Replay,
    rewind::Rewind,
    shared::Shared,
    subscription::{Start, Subscription},
    update::EARLIEST,
};
use std::{fmt, sync::Arc, time::Instant};

/// A subscription that has not begun: its audience, and the position where it begins.
pub struct Opening {
    hub: Arc<Shared>,
    key: Arc<AudienceKey>,
    place: Place,
    /// The events that are sent first: a gap event if updates that were asked for are missing, or the beginning of a
    /// rewind (the newest updates of each topic); empty if there is neither.
    first: Vec<u8>,
    /// The position before the first update of a rewind; `None` if there is no rewind.
    rewinds_after: Option<Offset>,
    /// The updates of a rewind for which `first` has no room. They are sent after `first`.
    rewind: Option<Rewind>,
    /// The room that `first` takes, if it is the beginning of a rewind of an audience that was admitted.
    room: Option<Room>,
    /// The room that the buffers of the connection take; `None` if they are not charged to the budgets.
    connection: Option<Room>,
    has_start_events: bool,
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
        let (place, first) = match start {
            Start::Newest(_) => unreachable!("`Start::Newest` was handled above"),
            Start::Since(time) => {
                let after = hub.clone().place_at(time, &key).await?;
                (Place::Behind(after, hub.id_behind(after)), Vec::new())
            }
            Start::Now => (Place::Head, Vec::new()),
            Start::After(requested) => {
                place(&hub, &key, hub.clone().resolve(requested.clone(), key.clone()).await?, requested)
            }
            Start::AfterEither(requested, otherwise) => {
                let (found, requested) = either(&hub, &key, requested, otherwise).await?;
                place(&hub, &key, found, requested)
            }
        };
        // A gap event contains the ID that the subscriber has sent, and so has the length that the subscriber wants.
        let reserve = || hub.ledger.reserve(first.len(), key.is_anonymous).map_err(LogError::OverBudget);
        let room = (key.charged.is_some() && !first.is_empty()).then(reserve).transpose()?;
        Ok(Self { room, ..Self::new(hub, key, place, first) })
    }

    /// Returns an opening that begins with the newest updates of each topic, at most `count` for each. They are
    /// followed by all updates that are appended from now on.
    async fn rewound(hub: Arc<Shared>, key: Arc<AudienceKey>, count: usize) -> Result<Self, LogError> {
        let head = hub.bounds().head;
        let rewind = hub.clone().find_newest(key.clone(), count, head).await?;
        let begins_after = rewind.begins_after().unwrap_or(head);
        let (first, rest) = hub.clone().rewind(key.clone(), rewind).await?;
        let place = Place::Behind(head, hub.id_behind(begins_after));
        let room = rest.room().cloned();
        let rewind = Some(rest).filter(|rest| !rest.is_over());
        Ok(Self { rewinds_after: Some(begins_after), rewind, room, ..Self::new(hub, key, place, first.into()) })
    }

    fn new(hub: Arc<Shared>, key: Arc<AudienceKey>, place: Place, first: Vec<u8>) -> Self {
        Self {
            hub,
            key,
            place,
            first,
            rewinds_after: None,
            rewind: None,
            room: None,
            connection: None,
            has_start_events: true,
            ends: None,
            end_reason: None,
            permit: None,
        }
    }

    /// Leaves out the [start events](crate::start_event), for a subscriber that cannot handle an event that no
    /// publisher sent. If its connection breaks before the first update, it loses the updates until it is connected
    /// again.
    #[must_use]
    pub fn without_start_events(self) -> Self {
        Self { has_start_events: false, ..self }
    }

    /// Sets the time when the hub ends the stream, and the reason that the subscriber gets then. If `ends` is `None`,
    /// the hub does not end the stream. If `end_reason` is `None`, it sends no reason.
    #[must_use]
    pub fn until(self, ends: Option<Instant>, end_reason: Option<EndReason>) -> Self {
        Self { ends, end_reason, ..self }
    }

    /// Charges the buffers of the subscriber's connection to the budgets, for as long as the subscription is polled.
    ///
    /// # Errors
    /// [`OverBudget`] if they would exceed a budget.
    pub fn with_buffers(self, bytes: usize) -> Result<Self, OverBudget> {
        let connection = Some(self.hub.ledger.reserve(bytes, self.key.is_anonymous)?);
        Ok(Self { connection, ..self })
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

    /// Frames the stream. Everything that was encoded for it so far becomes one frame.
    #[must_use]
    pub fn framed(mut self, framing: Framing) -> Self {
        let first = std::mem::take(&mut self.first);
        framing.frame(&mut self.first, |out| out.extend_from_slice(&first));
        self.key = Arc::new(AudienceKey { framing, ..AudienceKey::clone(&self.key) });
        self
    }

    /// The ID of the position where the subscriber starts, as `#<epoch>-<offset>` in every case. If the subscriber
    /// starts at the newest offset of the log, this call fixes which offset that is.
    pub fn place(&mut self) -> String {
        let begins_after = self.rewinds_after.unwrap_or_else(|| self.cursor());
        self.hub.place(begins_after)
    }

    /// Returns the offset after which the subscriber follows its audience. If this is the newest offset of the log, the
    /// call fixes it.
    fn cursor(&mut self) -> Offset {
        self.resumed_from();
        match self.place {
            Place::Behind(offset, _) => offset,
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
        let (hub, rewind, connection) = (self.hub.clone(), self.rewind.take(), self.connection.take());
        self.admit().await;
        let (joining, permit) = self.take_apart();
        Subscription::join(hub, joining, permit, resumed_from, rewind, connection)
    }

    /// Returns a replay, which reads what the log holds, instead of joining the audience. First waits until the
    /// publications that are in the queue to the log at the time of the call have been appended, at most for
    /// [`SETTLE_TIMEOUT`](crate::hub::SETTLE_TIMEOUT), so that the replay includes them. If `tells_end` is true, the
    /// last event of the replay has the type `fanfare.end`, and its ID is the position that the replay has reached.
    ///
    /// # Cancel safety
    /// If the future is dropped, nothing has happened.
    pub async fn replay(mut self, tells_end: bool) -> Replay {
        // The writer handles its queue in order, so this waits for all earlier publications.
        self.hub.drain().await;
        let cursor = self.cursor();
        let (mut opening, places) = self.begin();
        if places == Places::FromStart {
            self.encode_start(cursor, &mut opening);
        }
        let opening = budget::held(opening, self.room.as_ref());
        Replay::new(self.hub, self.key, cursor, opening, self.rewind, tells_end, self.connection)
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

    fn take_apart(mut self) -> (Joining, JoinPermit) {
        let cursor = match self.place {
            Place::Head => None,
            Place::Behind(offset, _) => Some(offset),
        };
        let (opening, places) = self.begin();
        let Self { key, room, ends, end_reason, permit, .. } = self;
        let joining = Joining { key, cursor, opening, room, places, ends, end_reason, tag: 0 };
        (joining, permit.expect("the opening was admitted before it joins"))
    }

    /// Returns the bytes that are sent first, and the places that the subscriber is told of after them.
    ///
    /// A gap event comes before the start event: a subscriber that got only the start event would resume after the gap,
    /// and would never learn of it. The start event of a rewind comes before the rewind, with the position before the
    /// rewind's first update, so that a subscriber that got only this event gets all updates of the rewind later.
    fn begin(&mut self) -> (Vec<u8>, Places) {
        let first = std::mem::take(&mut self.first);
        if !(self.has_start_events && self.key.representation.has_start_events()) {
            return (first, Places::None);
        }
        let Some(begins_after) = self.rewinds_after else { return (first, Places::FromStart) };
        let mut opening = Vec::new();
        self.encode_start(begins_after, &mut opening);
        opening.extend_from_slice(&first);
        (opening, Places::After(begins_after))
    }

    fn encode_start(&self, offset: Offset, out: &mut Vec<u8>) {
        self.key.encode_start(self.hub.place(offset), out);
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

/// Returns the position that was found for the ID `requested`, and the encoded gap event; no bytes if there is no gap.
fn place(hub: &Shared, key: &AudienceKey, found: Resolved, requested: String) -> (Place, Vec<u8>) {
    let Resolved { after, gap: Some(reason) } = found else {
        return (Place::Behind(found.after, requested), Vec::new());
    };
    let resumed_from = catch_up::id_of(&*hub.log, after);
    let before_all = after < hub.bounds().oldest;
    let answer = if before_all { EARLIEST.into() } else { resumed_from.clone() };
    let mut bytes = Vec::new();
    let gap = Gap { requested: shown(requested), resumed_from, reason };
    key.encode_gap(&gap, Timestamp::now(), &mut bytes);
    (Place::Behind(after, answer), bytes)
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
