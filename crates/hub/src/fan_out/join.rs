//! Joining: how a subscriber becomes a member.
use super::{
    FanOut, Transmit, Turn,
    member::{Member, MemberKey, State},
    part::Part,
    silence::Silence,
};
use crate::{
    audience_key::AudienceKey,
    budget::{self, Room},
    bundle::PartKey,
    ending::EndReason,
    position::Offset,
};
use bytes::Bytes;
use std::{sync::Arc, time::Instant};

/// A subscriber that is about to become a member.
#[derive(Debug)]
pub struct Joining {
    /// The audience that the subscriber joins.
    pub key: Arc<AudienceKey>,
    /// The offset after which the subscriber starts; `None` for the newest offset of the log at the time of joining.
    pub cursor: Option<Offset>,
    /// The bytes that the subscriber gets first, before the events after `cursor`.
    pub opening: Vec<u8>,
    /// The room that the opening bytes take; `None` if they are not charged to the budgets.
    pub room: Option<Room>,
    /// The places that the subscriber is told of.
    pub places: Places,
    /// The time when the hub ends the stream; `None` if the hub does not end it.
    pub ends: Option<Instant>,
    /// The reason that the subscriber gets when the stream ends at the time `ends`; `None` sends no reason.
    pub end_reason: Option<EndReason>,
    /// A number by which the driver finds members that belong together, with [`FanOut::tagged`]. The state machine does
    /// not use it.
    pub tag: u32,
}

/// The places that a subscriber is told of in start events, apart from the IDs of the events that it gets. A place is a
/// position in the log from which the subscriber can resume without a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Places {
    /// None.
    None,
    /// The position at which it joins, right after the opening bytes. Later, heartbeats tell it newer places.
    #[default]
    FromStart,
    /// Like [`Self::FromStart`], but the opening bytes have told of this first place already.
    After(Offset),
}

impl FanOut {
    /// Makes a subscriber a member. Nothing is sent to it before [`Turn::start`].
    ///
    /// If the state machine has no member of the audience yet, `follow` is called. `follow` must first request the
    /// events of the audience from the router, and then return the newest offset of the log. Later, the driver must
    /// give every event of the audience after this offset to the state machine; it may give earlier events to it, too.
    /// `head` returns the newest offset of the log at the time of the call, and `place` the ID of a position.
    pub fn join(
        &mut self,
        joining: Joining,
        now: Instant,
        follow: impl FnOnce(PartKey) -> Offset,
        head: impl FnOnce() -> Offset,
        place: &impl Fn(Offset) -> String,
    ) -> MemberKey {
        assert!(self.departed.is_empty(), "the driver takes the departed members before another one joins");
        let Joining { key: audience, cursor, mut opening, room, places, ends, end_reason, tag } = joining;
        let part = match self.parts.find(&audience) {
            Some(part) => part,
            None => {
                let window = self.window;
                let make = |key: PartKey| Part::new(audience.clone(), follow(key), window, now);
                self.parts.add(audience.clone(), make)
            }
        };
        // The part asked for the events of its audience before the newest offset of the log is read here, so everything
        // that is appended after this offset is delivered.
        let cursor = cursor.unwrap_or_else(head);
        self.parts.get_mut(part).members += 1;
        let told = match places {
            Places::None => None,
            Places::FromStart => {
                audience.encode_start(place(cursor), &mut opening);
                Some(cursor)
            }
            Places::After(place) => Some(place),
        };
        let unsent = (!opening.is_empty()).then(|| Box::new([budget::held(opening, room.as_ref()), Bytes::new()]));
        let (gets_places, told) = (told.is_some(), told.unwrap_or_default());
        let spoke = self.clock.moment(now);
        let member = Member {
            part,
            state: State::Full,
            cursor,
            unsent,
            spoke,
            ends,
            end_reason,
            tag,
            silence: Silence::BEGINNING,
            gets_places,
            told,
        };
        MemberKey::try_from(self.members.insert(member)).expect("there are fewer than 2^32 members")
    }

    /// Returns the key that the next member will get.
    #[must_use]
    pub fn next_key(&self) -> MemberKey {
        MemberKey::try_from(self.members.vacant_key()).expect("there are fewer than 2^32 members")
    }

    /// Returns the members with this tag. This looks at every member.
    #[must_use]
    pub fn tagged(&self, tag: u32) -> Vec<MemberKey> {
        self.keys().filter(|key| self.member(*key).tag == tag).collect()
    }

    /// Returns the audience of a member.
    #[must_use]
    pub fn audience(&self, key: MemberKey) -> &Arc<AudienceKey> {
        &self.parts.get(self.member(key).part).key
    }
}

impl<T: Transmit> Turn<'_, T> {
    /// Sends a new member its opening bytes, and the events after its cursor.
    pub fn start(&mut self, key: MemberKey) {
        self.advance(key);
    }
}
