//! Bytes on their way to a member, and what became of them.
use super::member::MemberKey;
use bytes::Bytes;
use std::io;

/// The bytes that one member is to get next. Many members share the same bytes.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The member.
    pub member: MemberKey,
    /// The bytes.
    pub slice: &'a [u8],
    /// What they are a part of.
    shared: &'a Bytes,
}

/// A send that was not taken whole.
#[derive(Debug)]
pub struct Unsent {
    /// The member that was to get it.
    pub member: MemberKey,
    /// The number of bytes that were taken before the member had no more room, 0 included; or the reason why it takes
    /// none ever again.
    pub taken: io::Result<usize>,
}

/// The way to the members: sockets, or the frames of response bodies.
pub trait Transmit {
    /// Tries each send once, without waiting. Adds those that were not taken whole to `unsent`, in no special order. A
    /// member that has taken all, and has no room for more, may be added as well.
    fn send<'a>(&mut self, sends: impl Iterator<Item = Outgoing<'a>>, unsent: &mut Vec<Unsent>);

    /// Tries one send once, without waiting, and returns the number of bytes that were taken.
    ///
    /// # Errors
    /// The reason why the member takes no bytes ever again.
    fn send_one(&mut self, send: Outgoing<'_>) -> io::Result<usize>;
}

impl<'a> Outgoing<'a> {
    /// Bytes for this member: a slice of those that are shared.
    #[inline]
    pub(super) fn new(member: MemberKey, slice: &'a [u8], shared: &'a Bytes) -> Self {
        Self { member, slice, shared }
    }

    /// The bytes, shared and not copied.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.shared.slice_ref(self.slice)
    }
}
