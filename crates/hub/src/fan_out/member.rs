//! A member: one subscriber. A cursor, and little else: plain data, without a socket.
use crate::{ending::EndReason, position::Offset, run::Left};
use std::time::Instant;

/// A member's number in its [`FanOut`](super::FanOut). It is given to another member after this one has left.
pub type MemberKey = u32;

/// A part's number.
pub(super) type PartIndex = u32;

/// One subscriber.
#[derive(Debug)]
pub struct Member {
    pub(super) part: PartIndex,
    pub(super) state: State,
    /// Everything up to here was sent, or does not concern this member. While the member waits, this may lie before the
    /// head of its part, and then the head counts: an event costs a waiting member no write to memory.
    pub(super) cursor: Offset,
    /// The bytes that are left of an event that was begun. Boxed, because few members have any.
    pub(super) unsent: Option<Box<Left>>,
    /// The time when something was last sent to this member alone.
    pub(super) spoke: Instant,
    /// The time when the stream is to end.
    pub(super) ends: Option<Instant>,
    /// The reason that the subscriber is told then.
    pub(super) end_reason: Option<EndReason>,
}

/// The state of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It has everything that its part has, and waits for the next event. The number is its place among those that wait.
    Waits(u32),
    /// It has no room for more bytes. It goes on when its peer has made room.
    Full,
    /// Its cursor lies before its part's window. It waits for a step through the log.
    CatchesUp,
    /// Its stream has ended, except for the rest of an event that was begun.
    Ends,
}

/// A member that has left. Its key may be given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departed {
    /// Its key.
    pub member: MemberKey,
    /// The way in which it left.
    pub how: Departure,
}

/// The way in which a member leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// It takes no bytes any more.
    Gone,
    /// Its stream has ended behind everything that it took.
    Ended,
    /// It needs the log, which cannot be read.
    NoLog,
}
