//! Leaving: a member leaves because its connection is gone, or because its stream has ended.
use super::{
    FanOut, Transmit, Turn,
    member::{Departed, Departure, MemberKey, State},
};
use crate::{audience_key::AudienceKey, bundle::PartKey, ending::EndReason, position::Offset};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// The longest time for which the rest of an event is still sent to a subscriber after the hub has ended its stream.
const GRACE: Duration = Duration::from_secs(1);
/// The longest time for which the rest of an event, and the event with the reason for the end, are still sent to a
/// subscriber. A slow subscriber has to take all bytes first that the system holds for it. If it did not learn the
/// reason, it would come back with a token that is refused.
const GRACE_WITH_REASON: Duration = Duration::from_secs(10);

impl FanOut {
    /// Removes a member whose connection is gone, if it is still a member.
    pub fn leave(&mut self, key: MemberKey) {
        if self.contains(key) {
            self.depart(key, Departure::Gone);
        }
    }

    /// Removes a member whose stream has ended. Bytes that its connection has already taken can still reach the peer.
    pub(super) fn close(&mut self, key: MemberKey) {
        self.depart(key, Departure::Ended);
    }

    pub(super) fn depart(&mut self, key: MemberKey, how: Departure) {
        // This also removes the member from the lists of its part.
        self.enter(key, State::Ends);
        let member = self.members.remove(key as usize);
        self.departed.push(Departed { member: key, how, tag: member.tag });
        let part = self.parts.get_mut(member.part);
        part.members -= 1;
        if part.members > 0 {
            // While a run is being delivered, `waiting` may include members that did not take the whole run, so no
            // event is removed from the window. When the run ends, the events that no member needs are removed.
            if part.run.is_none() {
                part.forget_what_nobody_needs();
            }
        } else {
            self.abandoned.push(self.parts.remove(member.part));
        }
    }

    /// Returns the members that have left since the last call of this function. The driver must call this function
    /// after each call in which members may leave.
    pub fn take_departed(&mut self) -> Vec<Departed> {
        std::mem::take(&mut self.departed)
    }

    /// Returns the parts that have lost their last member since the last call of this function, with their audiences.
    /// The driver must then ask the router for no more events of these parts.
    pub fn take_abandoned(&mut self) -> Vec<(Arc<AudienceKey>, PartKey)> {
        std::mem::take(&mut self.abandoned)
    }

    /// True if a member still has to be sent its opening bytes or the rest of an event. False if the only unsent bytes
    /// are the event that ends its stream, and no byte of this event was sent. This must only be called if the driver's
    /// [`Transmit`] takes either all bytes of a send or none of them.
    #[must_use]
    pub fn is_within_event(&self, key: MemberKey) -> bool {
        self.member(key).unsent.as_ref().is_some_and(|left| !left[0].is_empty())
    }

    /// Returns the position that a member has reached: every event up to this position that is for the member was sent
    /// to it, the last one perhaps only in part. A member that waits has everything that the router has sent so far.
    #[must_use]
    pub fn reached(&self, key: MemberKey) -> Offset {
        let member = self.member(key);
        match member.state {
            State::Waits(_) => member.cursor.max(self.parts.get(member.part).head).max(self.routed),
            State::Full | State::CatchesUp(_) | State::Ends => member.cursor,
        }
    }
}

impl<T: Transmit> Turn<'_, T> {
    /// Ends a member's stream: no further event is sent, only the bytes that mark the end of the body. If an event was
    /// sent only in part, its rest is still sent if the peer makes room for it within a second; otherwise the member is
    /// removed without it. A stream that has [ended with a reason](Self::end_because) has no more than this time, too.
    /// The driver must ask for [`FanOut::deadline`] again after this call, because the deadline may be earlier now.
    pub fn end(&mut self, key: MemberKey) {
        let Some(member) = self.core.members.get_mut(key as usize) else { return };
        if member.state == State::Ends {
            let latest = self.now + GRACE;
            member.ends = Some(member.ends.map_or(latest, |ends| ends.min(latest)));
            return;
        }
        let cursor = self.core.reached(key);
        let end = Bytes::from_static(self.core.audience(key).framing.end());
        self.end_with(key, cursor, end, GRACE);
    }

    /// Does the same as [`end`](Self::end), but sends the member an event with the reason before the end of the body,
    /// and gives its peer ten seconds. `place` returns the ID of a position. If an event was sent only in part, its
    /// rest comes before the event with the reason.
    pub fn end_because(&mut self, key: MemberKey, reason: EndReason, place: &impl Fn(Offset) -> String) {
        if self.core.contains(key) && self.core.member(key).state != State::Ends {
            let (cursor, told) = self.core.told(key, reason, place);
            self.end_with(key, cursor, told, GRACE_WITH_REASON);
        }
    }

    /// Sends a member its last bytes, after the rest of an event that was sent only in part. When they are sent, or
    /// when the time `grace` is over, the member is removed.
    fn end_with(&mut self, key: MemberKey, cursor: Offset, last: Bytes, grace: Duration) {
        match self.core.member_mut(key).unsent.take() {
            Some(left) => {
                let [first, second] = *left;
                let then = if second.is_empty() { last } else { [&second[..], &last].concat().into() };
                self.core.member_mut(key).unsent = Some(Box::new([first, then]));
            }
            None => match self.send_one(key, &last) {
                Some(taken) if taken == last.len() => return self.core.close(key),
                Some(0) => self.core.is_full(key, cursor, [Bytes::new(), last]),
                Some(taken) => self.core.is_full(key, cursor, [last.slice(taken..), Bytes::new()]),
                None => return,
            },
        }
        self.core.member_mut(key).ends = Some(self.now + grace);
        self.core.enter(key, State::Ends);
    }
}

impl FanOut {
    /// Returns the position that a member has reached, and the last bytes of its stream: the event that carries the
    /// reason why the stream ends, and the end of the body.
    fn told(&mut self, key: MemberKey, reason: EndReason, place: &impl Fn(Offset) -> String) -> (Offset, Bytes) {
        let (cursor, audience, mut bytes) = (self.reached(key), self.audience(key).clone(), Vec::new());
        audience.encode_ending(reason, &mut self.random, &place(cursor), &mut bytes);
        bytes.extend_from_slice(audience.framing.end());
        (cursor, bytes.into())
    }
}
