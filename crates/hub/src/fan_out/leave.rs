//! The departure of a member, because its peer is gone, or because its stream has come to its end.
use super::{
    FanOut, Transmit, Turn,
    member::{Departed, Departure, MemberKey, State},
};
use crate::{
    audience_key::AudienceKey,
    bundle::PartKey,
    ending::{EndReason, Ending},
    entry::Timestamp,
    position::Offset,
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// The time that the rest of an event may take when its stream has ended.
const GRACE: Duration = Duration::from_secs(1);

impl FanOut {
    /// Takes out a member whose peer is gone, if it is still there.
    pub fn leave(&mut self, key: MemberKey) {
        if self.contains(key) {
            self.depart(key, Departure::Gone);
        }
    }

    /// Ends the stream of a member behind everything that it took.
    pub(super) fn close(&mut self, key: MemberKey) {
        self.depart(key, Departure::Ended);
    }

    pub(super) fn depart(&mut self, key: MemberKey, how: Departure) {
        // Out of the lists of its part.
        self.enter(key, State::Ends);
        let member = self.members.remove(key as usize);
        self.departed.push(Departed { member: key, how });
        let part = self.parts.get_mut(member.part);
        part.members -= 1;
        if part.members > 0 {
            part.forget_what_nobody_needs();
        } else {
            self.abandoned.push(self.parts.remove(member.part));
        }
    }

    /// The members that have left since this was last called. The driver calls it after each of its calls in which
    /// members may leave.
    pub fn take_departed(&mut self) -> Vec<Departed> {
        std::mem::take(&mut self.departed)
    }

    /// The audiences and parts that need no more events, since this was last called.
    pub fn take_abandoned(&mut self) -> Vec<(Arc<AudienceKey>, PartKey)> {
        std::mem::take(&mut self.abandoned)
    }

    /// The place that a member has reached: everything up to it was sent, or does not concern the member.
    #[must_use]
    pub fn reached(&self, key: MemberKey) -> Offset {
        let member = self.member(key);
        match member.state {
            State::Waits(_) => member.cursor.max(self.parts.get(member.part).head),
            State::Full | State::CatchesUp | State::Ends => member.cursor,
        }
    }
}

impl<T: Transmit> Turn<'_, T> {
    /// Ends a member's stream, so that its peer gets everything that was sent. The rest of an event that was begun is
    /// still sent, if the peer makes room for it within a second: [`FanOut::deadline`] is nearer after this.
    pub fn end(&mut self, key: MemberKey) {
        let Some(member) = self.core.members.get_mut(key as usize) else { return };
        if member.unsent.is_none() {
            self.core.close(key);
        } else if member.state != State::Ends {
            member.ends = Some(self.now + GRACE);
            self.core.enter(key, State::Ends);
        }
    }

    /// Ends the stream of a member whose time has come, and tells it why if there is something that it can do about it.
    /// `place` gives the ID of a place. The event that tells it counts as the rest of the event before: it comes behind
    /// what was begun, and before what the member has not reached.
    pub(super) fn end_because(&mut self, key: MemberKey, place: &impl Fn(Offset) -> String) {
        if let Some(reason) = self.core.member_mut(key).end_reason.take() {
            let (cursor, told) = self.core.told(key, reason, place);
            match self.core.member_mut(key).unsent.take() {
                Some(left) => {
                    let [first, second] = *left;
                    let then = if second.is_empty() { told } else { [&second[..], &told].concat().into() };
                    self.core.member_mut(key).unsent = Some(Box::new([first, then]));
                }
                None => match self.send_one(key, &told) {
                    Some(taken) if taken == told.len() => {}
                    Some(taken) => self.core.is_full(key, cursor, [told.slice(taken..), Bytes::new()]),
                    None => return,
                },
            }
        }
        self.end(key);
    }
}

impl FanOut {
    /// The place that a member has reached, and the event that tells it why its stream ends.
    fn told(&self, key: MemberKey, reason: EndReason, place: &impl Fn(Offset) -> String) -> (Offset, Bytes) {
        let (cursor, mut bytes) = (self.reached(key), Vec::new());
        let representation = self.audience(key).representation;
        representation.encode_ending(&Ending { reason }, &place(cursor), Timestamp::now(), &mut bytes);
        (cursor, bytes.into())
    }
}
