//! One system call for each send.
use super::{MAX_SEND_BYTES, Send, Unsent};
use std::io::{self, ErrorKind, Write};

/// Does the same as [`Engine::send`](super::Engine::send).
pub(super) fn send<'a>(sends: impl Iterator<Item = Send<'a>>, unsent: &mut Vec<Unsent>) {
    // Not a loop: what the sends are taken from is several iterators in each other, which this takes in one go.
    sends.for_each(|send| match send_one(&send) {
        Ok(sent) if sent == send.bytes.len() => {}
        taken => unsent.push(Unsent { member: send.member, taken }),
    });
}

/// The number of bytes that the socket takes at once. This is `send(2)` without a signal if the peer has gone, which
/// costs less than `write(2)`.
#[inline]
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
