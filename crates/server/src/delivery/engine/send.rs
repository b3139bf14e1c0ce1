//! One send.
use fanfare_hub::fan_out::MemberKey;
use mio::net::TcpStream;

/// The most bytes of one [`Send`]: what any kernel takes in one call.
pub(crate) const MAX_SEND_BYTES: u32 = 1 << 30;

/// One send: these bytes into this socket, for the member with this key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Send<'a> {
    /// The member comes back in [`Unsent`](fanfare_hub::fan_out::Unsent).
    pub(crate) member: MemberKey,
    /// Must not block, and must not be in two sends of one call: between what a socket takes of the first and what it
    /// takes of the second, bytes may be missing.
    pub(crate) socket: &'a TcpStream,
    /// The bytes: at most [`MAX_SEND_BYTES`]; more may be taken only up to there, without the socket being full.
    pub(crate) bytes: &'a [u8],
}
