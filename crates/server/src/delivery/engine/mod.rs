//! Engines: how bytes get into sockets.
//!
//! A shard hands over many sends at once and learns only of those that the sockets did not take whole. One engine makes a
//! system call for each; [`uring`] hands them to the kernel in batches. Neither waits for anything: when a socket
//! has room again is for whoever polls it to notice.
mod send;
#[cfg(test)]
mod tests;
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    path = "uring_absent.rs"
)]
mod uring;

use fanfare_hub::fan_out::Unsent;
pub(crate) use send::{MAX_SEND_BYTES, Send};
use std::{
    fmt::{self, Display, Formatter},
    io::{self, ErrorKind, Write as _},
};
use uring::Uring;

/// The engine to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// io_uring if this kernel has all that it takes and lets us use it, else epoll.
    #[default]
    Auto,
    /// One system call for each send.
    Epoll,
    /// The same as `Auto`, with a warning if the system does not have it.
    IoUring,
}

/// Puts bytes into sockets. Each shard has one of its own.
#[derive(Debug)]
pub(crate) enum Engine {
    Epoll,
    IoUring(Box<Uring>),
}

impl Engine {
    /// Starts the one chosen, or the one that works in its place, and tells which it is and why.
    pub(crate) fn start(choice: Choice) -> (Self, Started) {
        match choice {
            Choice::Epoll => (Self::Epoll, Started::EpollChosen),
            Choice::Auto | Choice::IoUring => match Uring::start() {
                Ok(uring) => (Self::IoUring(Box::new(uring)), Started::IoUring),
                Err(why) => (Self::Epoll, Started::EpollInstead { chosen: choice, why }),
            },
        }
    }

    /// Tries one send once, without waiting, and gives how many bytes were taken before the socket was full.
    ///
    /// # Errors
    /// Why the socket takes none ever again.
    pub(crate) fn send_one(send: &Send<'_>) -> io::Result<usize> {
        send_one(send)
    }

    /// Tries each send once, without waiting. Only those that were not sent whole are added to `unsent`, in no special
    /// order.
    pub(crate) fn send<'a>(&mut self, sends: impl Iterator<Item = Send<'a>>, unsent: &mut Vec<Unsent>) {
        match self {
            Self::Epoll => send_plainly(sends, unsent),
            Self::IoUring(uring) => uring.send(sends, unsent),
        }
    }
}

/// Makes one system call for each send.
fn send_plainly<'a>(sends: impl Iterator<Item = Send<'a>>, unsent: &mut Vec<Unsent>) {
    // Not a loop: what the sends are taken from is several iterators in each other, which this takes in one go.
    sends.for_each(|send| match send_one(&send) {
        Ok(sent) if sent == send.bytes.len() => {}
        taken => unsent.push(Unsent { member: send.member, taken }),
    });
}

/// The number of bytes that the socket takes at once. This is `send(2)` without a signal if the peer has gone, which
/// costs less than `write(2)`.
#[inline]
fn send_one(send: &Send<'_>) -> io::Result<usize> {
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

/// The engine that was started, and why; what it displays is for a line of the log.
#[derive(Debug)]
pub(crate) enum Started {
    /// It was tried, and does what is relied on.
    IoUring,
    EpollChosen,
    /// Logs which engine it is, as a warning if io_uring was chosen and the system does not have it.
    EpollInstead {
        chosen: Choice,
        why: io::Error,
    },
}

impl Display for Started {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::IoUring => formatter.write_str("sends through io_uring, which was tried and works"),
            Self::EpollChosen => formatter.write_str("sends one by one (epoll), as chosen"),
            Self::EpollInstead { why, .. } => {
                write!(formatter, "sends one by one (epoll), since io_uring is not to be had: {why}")
            }
        }
    }
}
