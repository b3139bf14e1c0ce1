//! A member: one subscriber whose socket a shard has. A file descriptor, a cursor, and little else.
use super::keys::PartIndex;
use fanfare_hub::{ending::EndReason, position::Offset, run::Left};
use mio::net::TcpStream;
use std::time::Instant;

/// One subscriber.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) socket: TcpStream,
    pub(super) part: PartIndex,
    pub(super) state: State,
    /// Everything up to here was sent, or does not concern it. While it waits, this may lag behind the head of its
    /// part, which then counts: an event costs the members who wait no write to memory.
    pub(super) cursor: Offset,
    /// The bytes that are left of an event that was begun. Boxed, because hardly anybody has one.
    pub(super) unsent: Option<Box<Left>>,
    /// The time when something was last sent to this member alone.
    pub(super) spoke: Instant,
    /// The time when its stream is to end.
    pub(super) ends: Option<Instant>,
    /// The reason that it is told then.
    pub(super) end_reason: Option<EndReason>,
}

/// The state of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It stands at the head of its part and waits for the next event. Its place among those who do.
    Waits(u32),
    /// Its socket is full. It goes on when the peer has made room.
    Full,
    /// It stands before its part's window and waits for a step through the log.
    CatchesUp,
    /// Its stream has ended, but for the rest of an event that was begun.
    Ends,
}
