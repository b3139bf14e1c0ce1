//! A member: one subscriber of a [`FanOut`](super::FanOut). It is plain data: a cursor and little else. It has no
//! socket.
use super::{moment::Moment, silence::Silence};
use crate::{ending::EndReason, position::Offset, run::Left};
use std::time::Instant;

/// The number of a member in its [`FanOut`](super::FanOut). Another member may get the same number after this one has
/// left.
pub type MemberKey = u32;

/// The number of a part in its [`FanOut`](super::FanOut).
pub(super) type PartIndex = u32;

/// The number of a member's request to read the log. The waiting requests of one part have different numbers.
pub(super) type RequestNumber = u32;

/// One subscriber, as the state machine sees it.
#[derive(Debug)]
pub struct Member {
    pub(super) part: PartIndex,
    pub(super) state: State,
    /// The offset that the member has reached: every event up to this offset that is for the member was sent to it.
    /// While the member waits, it may have reached a higher offset: the `head` of its part. So an event that is sent to
    /// all waiting members is noted once, in the part.
    pub(super) cursor: Offset,
    /// The bytes to send before any other bytes: the opening bytes of a new member, the rest of an event whose
    /// beginning was sent, or the event that ends the stream. Boxed, because few members have any.
    pub(super) unsent: Option<Box<Left>>,
    /// The time of the last send to this member alone. The part notes the time of the last send to all waiting members.
    pub(super) spoke: Moment,
    /// The time when the hub ends the stream; `None` if the hub does not end it.
    pub(super) ends: Option<Instant>,
    /// The reason that the subscriber gets when its stream ends at the time `ends`; `None` sends no reason.
    pub(super) end_reason: Option<EndReason>,
    /// The number by which the driver finds members that belong together.
    pub(super) tag: u32,
    pub(super) silence: Silence,
    /// True if heartbeats tell the member its place when the place that it knows has become old.
    pub(super) gets_places: bool,
    /// The newest place that the member is known to know: from a start event, or from the ID of an event that was sent
    /// to it alone. The part notes the last event that was sent to all waiting members. The member may know a newer
    /// place.
    pub(super) told: Offset,
}

impl Member {
    /// Notes that an event was sent to the member.
    pub(super) fn has_spoken(&mut self, moment: Moment) {
        self.spoke = moment;
        self.silence.end_with_event();
    }
}

/// The state of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The member has all events of its part, and waits for the next one. The number is its index in the part's list
    /// `waiting`.
    Waits(u32),
    /// The member has no room for more bytes. It continues when its peer has made room.
    Full,
    /// The cursor is before the window of the member's part. The member waits for a step through the log. The number is
    /// the member's key in the part's map `readers`.
    CatchesUp(RequestNumber),
    /// The stream has ended. Only the rest of an event whose beginning was sent may still be sent.
    Ends,
}

/// A member that has left. Another member may get its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departed {
    /// The key that the member had.
    pub member: MemberKey,
    /// The way in which the member left.
    pub how: Departure,
    /// The tag that the member had; see [`Joining::tag`](super::Joining::tag).
    pub tag: u32,
}

/// The way in which a member leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The connection is gone, and takes no bytes any more.
    Gone,
    /// The hub has ended the stream. Bytes that the connection has already taken can still reach the peer.
    Ended,
    /// The member needs the log, and the log cannot be read.
    NoLog,
}
