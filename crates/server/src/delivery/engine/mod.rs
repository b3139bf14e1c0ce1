//! Engines: the ways to write bytes to sockets.
//!
//! A shard gives an engine many sends at once. The engine returns only those sends of which a socket did not take all
//! bytes. One engine makes a system call for each send; [`uring`] gives the sends to the kernel in batches. No engine
//! waits for room in a socket: the shard has to notice when a socket has room again.
mod send;
#[cfg(test)]
mod tests;
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    path = "uring_absent.rs"
)]
mod uring;

use super::turns::Turns;
use fanfare_hub::fan_out::Unsent;
pub(crate) use send::{MAX_SEND_BYTES, Send};
use std::{
    fmt::{self, Display, Formatter},
    io::{self, ErrorKind, Write as _},
    thread,
};
use uring::Uring;

/// The number of sends after which a shard's thread lets other programs use its core, if they wait for it. Otherwise a
/// proxy or a client on the same machine could not process an event until the shard has sent it to all subscribers:
/// with 5,000 subscribers on two cores, the median latency was a third longer. This is also the number of sends that
/// io_uring makes with one system call: with 128 to 512 sends in one call, a send costs least.
pub(crate) const BATCH: u32 = 128;

/// The configured choice of an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// io_uring if this kernel supports everything that is needed and lets us use it, else epoll.
    #[default]
    Auto,
    /// One system call for each send.
    Epoll,
    /// The same as `Auto`, but the log gets a warning if io_uring is not available.
    IoUring,
}

/// The part of a shard that writes bytes to sockets. Each shard has one.
#[derive(Debug)]
pub(crate) enum Engine {
    Epoll,
    IoUring(Box<Uring>),
}

impl Engine {
    /// Starts the chosen engine, or epoll if io_uring does not work. Returns the engine, and the reason why this engine
    /// is used.
    pub(crate) fn start(choice: Choice) -> (Self, Started) {
        match choice {
            Choice::Epoll => (Self::Epoll, Started::EpollChosen),
            Choice::Auto | Choice::IoUring => match Uring::start() {
                Ok(uring) => (Self::IoUring(Box::new(uring)), Started::IoUring),
                Err(why) => (Self::Epoll, Started::EpollInstead { chosen: choice, why }),
            },
        }
    }

    /// Tries to send once, without waiting. Returns the number of bytes that the socket took: all of them, or fewer if
    /// the socket is full.
    ///
    /// # Errors
    /// The error of the system. After an error, the socket never takes bytes again.
    pub(crate) fn send_one(send: &Send<'_>) -> io::Result<usize> {
        send_one(send)
    }

    /// Tries each send once, without waiting. Adds each send of which a socket did not take all bytes to `unsent`, in
    /// any order. Notes its progress in `turns`.
    pub(crate) fn send<'a>(&mut self, sends: impl Iterator<Item = Send<'a>>, unsent: &mut Vec<Unsent>, turns: &Turns) {
        match self {
            Self::Epoll => send_plainly(sends, unsent, turns),
            Self::IoUring(uring) => uring.send(sends, unsent, turns),
        }
    }
}

/// Makes one system call for each send.
fn send_plainly<'a>(sends: impl Iterator<Item = Send<'a>>, unsent: &mut Vec<Unsent>, turns: &Turns) {
    let mut count = 0;
    // `for_each` is faster than a loop here: the sends come from several nested iterators, which `for_each` runs in one
    // pass.
    sends.for_each(|send| {
        match send_one(&send) {
            Ok(sent) if sent == send.bytes.len() => {}
            taken => unsent.push(Unsent { member: send.member, taken }),
        }
        count += 1;
        if count == BATCH {
            count = 0;
            turns.advance();
            thread::yield_now();
        }
    });
}

/// Sends as many bytes as the socket takes now, and returns their number. The standard library's `write` to a socket is
/// `send(2)`. It costs less than `write(2)`, and causes no signal if the peer has gone.
#[inline]
fn send_one(send: &Send<'_>) -> io::Result<usize> {
    debug_assert!(send.bytes.len() <= MAX_SEND_BYTES as usize, "a send has more bytes than a kernel takes");
    let mut socket = send.socket;
    loop {
        match socket.write(send.bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            sent => return sent,
        }
    }
}

/// The engine that was started, and the reason why it was chosen. Its `Display` is for the log.
#[derive(Debug)]
pub(crate) enum Started {
    /// io_uring was tested, and does what the engine relies on.
    IoUring,
    EpollChosen,
    /// Epoll is used because io_uring does not work. The log shows this as a warning if the operator chose io_uring.
    EpollInstead {
        chosen: Choice,
        why: io::Error,
    },
}

impl Display for Started {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::IoUring => formatter.write_str("sends through io_uring, which was tested and works"),
            Self::EpollChosen => formatter.write_str("sends with one system call each (epoll), as chosen"),
            Self::EpollInstead { why, .. } => {
                write!(formatter, "sends with one system call each (epoll), because io_uring is not available: {why}")
            }
        }
    }
}
