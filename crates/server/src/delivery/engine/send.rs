//! A send: bytes for one socket.
use fanfare_hub::fan_out::MemberKey;
use mio::net::TcpStream;

/// The largest [`Send`] in bytes: every kernel takes as many in one call.
pub(crate) const MAX_SEND_BYTES: u32 = 1 << 30;

/// One send: bytes for the socket of one member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Send<'a> {
    /// The key of the member, which [`Unsent`](fanfare_hub::fan_out::Unsent) repeats.
    pub(crate) member: MemberKey,
    /// The socket, in non-blocking mode. It must not be in two sends of one call: the socket may take only a part of
    /// the first send, and then bytes of the second.
    pub(crate) socket: &'a TcpStream,
    /// The bytes to send. There must not be more than [`MAX_SEND_BYTES`]: a kernel may leave further bytes unsent
    /// although the socket is not full.
    pub(crate) bytes: &'a [u8],
}
