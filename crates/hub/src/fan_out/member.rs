//! A member: one subscriber. It is plain data, a cursor and little else, without a socket.
use crate::{ending::EndReason, position::Offset, run::Left};
use std::time::Instant;

/// The number of a member in its [`FanOut`](super::FanOut). Another member may get the same number after this one has
/// left.
pub type MemberKey = u32;

/// The number of a part in its [`FanOut`](super::FanOut).
pub(super) type PartIndex = u32;

/// The number of a member's request for the log. The requests of a part that wait have different numbers.
pub(super) type RequestNumber = u32;

/// One subscriber, as the state machine sees it.
#[derive(Debug)]
pub struct Member {
    pub(super) part: PartIndex,
    pub(super) state: State,
    /// The offset up to which everything was sent to this member, or is not for it. While the member waits, the real
    /// value is the head of its part if that is higher, so an event costs no write to the memory of a waiting member.
    pub(super) cursor: Offset,
    /// The bytes that the member has had no room for: the opening, the rest of an event whose beginning was sent, and
    /// the event with which the stream ends. Boxed, because few members have any.
    pub(super) unsent: Option<Box<Left>>,
    /// The time when bytes were last sent to this member only, and not to all waiting members of its part.
    pub(super) spoke: Instant,
    /// The time when the hub ends the stream; `None` sets no end.
    pub(super) ends: Option<Instant>,
    /// The reason that the subscriber gets when its stream ends at that time; `None` sends no reason.
    pub(super) end_reason: Option<EndReason>,
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
    /// its key in the part's map `readers`.
    CatchesUp(RequestNumber),
    /// The stream has ended, except that the rest of an event of which a part was sent may still be sent.
    Ends,
}

/// A member that has left. Another member may get its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departed {
    /// The key that the member had.
    pub member: MemberKey,
    /// The way in which the member left.
    pub how: Departure,
}

/// The way in which a member leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// The connection takes no bytes any more.
    Gone,
    /// The hub has ended the stream. The bytes that the connection has taken can still arrive.
    Ended,
    /// The member needs the log, and the log cannot be read.
    NoLog,
}
