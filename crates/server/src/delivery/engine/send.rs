//! A send: bytes for one socket.
use fanfare_hub::fan_out::MemberKey;
use mio::net::TcpStream;

/// The largest number of bytes of a [`Send`]. Every kernel takes this many in one call.
pub(crate) const MAX_SEND_BYTES: u32 = 1 << 30;

/// One send: bytes for the socket of one member.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Send<'a> {
    /// The key of the member. An [`Unsent`](fanfare_hub::fan_out::Unsent) for this send has the same key.
    pub(crate) member: MemberKey,
    /// The socket, in non-blocking mode. One call of an engine must not have two sends to the same socket: the socket
    /// might take only a part of the first send, and then take bytes of the second.
    pub(crate) socket: &'a TcpStream,
    /// The bytes to send, at most [`MAX_SEND_BYTES`]: if there were more, a kernel might leave some unsent although the
    /// socket is not full.
    pub(crate) bytes: &'a [u8],
}
