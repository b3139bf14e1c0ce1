//! The state machine, and a turn in which it can send.
use super::{
    Transmit, Unsent,
    member::{Departed, Member, MemberKey, State},
    moment::{Clock, Moment},
    parts::Parts,
    read_queue::ReadQueue,
};
use crate::{audience_key::AudienceKey, bundle::PartKey, position::Offset, run::Left, window::WindowLimit};
use slab::Slab;
use std::{sync::Arc, time::Instant};

/// The state machine: the members, their parts, and how far each member has got.
#[derive(Debug)]
pub struct FanOut {
    pub(super) window: WindowLimit,
    pub(super) members: Slab<Member>,
    pub(super) parts: Parts,
    /// The offset up to which the router has sent every event, and the events of all parts were delivered.
    pub(super) routed: Offset,
    /// The parts with stored events that are not delivered yet.
    pub(super) news: Vec<PartKey>,
    /// The parts for which the log has to be read, or is being read.
    pub(super) reads: ReadQueue,
    /// The sends of which the members did not take all bytes. Empty between turns.
    pub(super) unsent: Vec<Unsent>,
    /// The members that have left, until the driver takes them with [`FanOut::take_departed`].
    pub(super) departed: Vec<Departed>,
    /// The parts that have lost their last member, until the driver takes them with [`FanOut::take_abandoned`].
    pub(super) abandoned: Vec<(Arc<AudienceKey>, PartKey)>,
    pub(super) random: fastrand::Rng,
    /// The clock of the moments that the members note.
    pub(super) clock: Clock,
}

/// A turn of the state machine: the calls in which a driver lets it send bytes. The turn has the current time, and the
/// [`Transmit`] that sends the bytes.
#[derive(Debug)]
pub struct Turn<'a, T> {
    pub(super) core: &'a mut FanOut,
    pub(super) transmit: &'a mut T,
    pub(super) now: Instant,
    /// The moment of `now`.
    pub(super) moment: Moment,
}

impl FanOut {
    /// Returns a state machine without members. `window` limits the newest events that each part keeps in memory.
    /// `seed` is the seed of the random numbers that spread heartbeats over time.
    #[must_use]
    pub fn new(window: WindowLimit, seed: u64) -> Self {
        Self {
            window,
            members: Slab::new(),
            parts: Parts::default(),
            routed: Offset::ZERO,
            news: Vec::new(),
            reads: ReadQueue::default(),
            unsent: Vec::new(),
            departed: Vec::new(),
            abandoned: Vec::new(),
            random: fastrand::Rng::with_seed(seed),
            clock: Clock::default(),
        }
    }

    /// Begins a turn, in which bytes are sent through `transmit`.
    pub fn turn<'a, T: Transmit>(&'a mut self, now: Instant, transmit: &'a mut T) -> Turn<'a, T> {
        let moment = self.clock.moment(now);
        Turn { core: self, transmit, now, moment }
    }

    /// The number of members.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// True if there are no members.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// True if there is a member with this key.
    #[must_use]
    pub fn contains(&self, key: MemberKey) -> bool {
        self.members.contains(key as usize)
    }

    /// The keys of all members.
    pub fn keys(&self) -> impl Iterator<Item = MemberKey> + '_ {
        self.members.iter().map(|(key, _)| MemberKey::try_from(key).expect("each key was made by `join`"))
    }

    /// Notes that the router has sent every event up to the offset `up_to`, and that the driver has delivered all of
    /// these events. So the members that wait have everything up to this offset. The driver must know the offset before
    /// it takes the events: the newest offset of the log would be too high, because its events may still be on their
    /// way.
    pub fn routed(&mut self, up_to: Offset) {
        debug_assert!(self.news.is_empty(), "events that were taken are delivered before their offset is noted");
        self.routed = self.routed.max(up_to);
    }

    /// Releases the memory of the state machine if it has no members: there may have been many.
    pub fn shrink(&mut self) {
        if self.members.is_empty() && self.members.capacity() > 0 {
            self.members = Slab::new();
            (self.unsent, self.news, self.departed) = Default::default();
            self.reads.clear();
        }
    }

    pub(super) fn member(&self, key: MemberKey) -> &Member {
        &self.members[key as usize]
    }

    pub(super) fn member_mut(&mut self, key: MemberKey) -> &mut Member {
        &mut self.members[key as usize]
    }

    /// Changes the state of a member, and removes the member from the list that belonged to its former state.
    pub(super) fn enter(&mut self, key: MemberKey, state: State) {
        let member = &mut self.members[key as usize];
        let part = self.parts.get_mut(member.part);
        let before = std::mem::replace(&mut member.state, state);
        match before {
            State::Waits(place) => {
                let removed = part.waiting.swap_remove(place as usize);
                debug_assert_eq!(removed, key, "the state of a waiting member holds the member's index in `waiting`");
                if let Some(moved) = part.waiting.get(place as usize) {
                    self.members[*moved as usize].state = State::Waits(place);
                }
            }
            State::CatchesUp(request) => _ = part.readers.remove(&request),
            State::Full | State::Ends => {}
        }
    }

    /// Notes that a member has no more room. The member has got everything up to `cursor`, except `left`, which is the
    /// rest of the event at `cursor`.
    pub(super) fn is_full(&mut self, key: MemberKey, cursor: Offset, left: Left) {
        let member = self.member(key);
        debug_assert!(cursor >= member.cursor, "a cursor never goes back: {cursor} after {}", member.cursor);
        if member.state != State::Ends {
            self.enter(key, State::Full);
        }
        let member = self.member_mut(key);
        member.cursor = cursor;
        member.unsent = left.iter().any(|bytes| !bytes.is_empty()).then(|| Box::new(left));
    }
}
