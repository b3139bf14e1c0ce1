//! One send, and what a socket did not take of it.
use mio::net::TcpStream;
use std::io;

/// The most bytes of one [`Send`]: what any kernel takes in one call.
pub(crate) const MAX_SEND_BYTES: u32 = 1 << 30;

/// One send: these bytes into this socket, for the member with this key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Send<'a> {
    /// Comes back in [`Unsent`].
    pub(crate) key: u32,
    /// Must not block, and must not be in two sends of one call: between what a socket takes of the first and what it
    /// takes of the second, bytes may be missing.
    pub(crate) socket: &'a TcpStream,
    /// The bytes: at most [`MAX_SEND_BYTES`]; more may be taken only up to there, without the socket being full.
    pub(crate) bytes: &'a [u8],
}

/// A send that did not take all bytes.
#[derive(Debug)]
pub(crate) struct Unsent {
    /// The key of the [`Send`].
    pub(crate) key: u32,
    /// The number of bytes that were taken, 0 included, before the socket was full; or why the socket takes none ever
    /// again.
    pub(crate) sent: io::Result<usize>,
}
