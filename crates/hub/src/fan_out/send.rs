//! Sending bytes to a member, and the result.
use super::member::MemberKey;
use bytes::Bytes;
use std::io;

/// The bytes to send to one member. Many members share the same bytes.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// The member that gets the bytes.
    pub member: MemberKey,
    /// The bytes that the member gets: a slice of a shared buffer.
    pub slice: &'a [u8],
    /// The shared buffer that contains `slice`.
    shared: &'a Bytes,
}

/// A send of which the member did not take all bytes.
#[derive(Debug)]
pub struct Unsent {
    /// The member to which the bytes were sent.
    pub member: MemberKey,
    /// The number of bytes that the member took before it had no more room, possibly 0; or the reason why it can take
    /// no bytes any more.
    pub taken: io::Result<usize>,
}

/// Sends bytes to members: through sockets, or as frames of response bodies.
pub trait Transmit {
    /// Tries each send once, without waiting. If a member does not take all bytes of its send, this send is added to
    /// `unsent`, in any order. A send of which the member took all bytes may be added, too, if the member has no room
    /// for more.
    fn send<'a>(&mut self, sends: impl Iterator<Item = Outgoing<'a>>, unsent: &mut Vec<Unsent>);

    /// Tries one send once, without waiting, and returns the number of bytes that the member took.
    ///
    /// # Errors
    /// The reason why the member can take no bytes any more.
    fn send_one(&mut self, send: Outgoing<'_>) -> io::Result<usize>;
}

impl<'a> Outgoing<'a> {
    /// Returns a send of `slice`, which is a slice of `shared`, to this member.
    #[inline]
    pub(super) fn new(member: MemberKey, slice: &'a [u8], shared: &'a Bytes) -> Self {
        Self { member, slice, shared }
    }

    /// Returns the bytes without copying them.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.shared.slice_ref(self.slice)
    }
}
