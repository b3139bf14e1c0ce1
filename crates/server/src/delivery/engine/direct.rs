//! One system call for each send.
use super::{MAX_SEND_BYTES, Send, Unsent};
use std::io::{self, ErrorKind, Write};

/// Does the same as [`Engine::send`](super::Engine::send).
pub(super) fn send<'a>(sends: impl Iterator<Item = Send<'a>>, unsent: &mut Vec<Unsent>) {
    unsent.extend(sends.filter_map(|send| match send_one(&send) {
        Ok(sent) if sent == send.bytes.len() => None,
        sent => Some(Unsent { member: send.member, taken: sent }),
    }));
}

/// The number of bytes that the socket takes at once. This is `send(2)` without a signal if the peer has gone, which
/// costs less than `write(2)`.
pub(super) fn send_one(send: &Send<'_>) -> io::Result<usize> {
    debug_assert!(send.bytes.len() <= MAX_SEND_BYTES as usize, "a send of more bytes than a kernel takes");
    let mut socket = send.socket;
    loop {
        match socket.write(send.bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            sent => return sent,
        }
    }
}
