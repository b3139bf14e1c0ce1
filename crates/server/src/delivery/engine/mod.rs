//! Engines: the ways to write bytes to sockets.
//!
//! A shard gives an engine many sends at once, and gets back only the sends that the sockets did not take completely.
//! One engine makes a system call for each send; [`uring`] gives them to the kernel in batches. Neither engine waits:
//! the owner of the sockets has to notice when a socket has room again.
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
    thread,
};
use uring::Uring;

/// The number of sends after which a thread lets other programs run if they wait for its core. A proxy or a client on
/// the same machine receives each event, and would wait until all subscribers have been served: with 5,000 subscribers
/// on two cores, that made the median latency a third longer. io_uring makes this number of sends with one system call,
/// and 128 to 512 sends in one call cost least.
const BATCH: u32 = 128;

/// The engine to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// io_uring if this kernel supports everything that is needed and lets us use it, else epoll.
    #[default]
    Auto,
    /// One system call for each send.
    Epoll,
    /// The same as `Auto`, with a warning if io_uring is not available.
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

    /// Tries one send once, without waiting. Returns how many bytes were taken before the socket was full.
    ///
    /// # Errors
    /// The reason why the socket will never take bytes again.
    pub(crate) fn send_one(send: &Send<'_>) -> io::Result<usize> {
        send_one(send)
    }

    /// Tries each send once, without waiting. Adds only the sends that were not completely sent to `unsent`, in any
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
    let mut count = 0;
    // `for_each` instead of a loop: the sends come from several nested iterators, which `for_each` runs in one pass.
    sends.for_each(|send| {
        match send_one(&send) {
            Ok(sent) if sent == send.bytes.len() => {}
            taken => unsent.push(Unsent { member: send.member, taken }),
        }
        count += 1;
        if count == BATCH {
            count = 0;
            thread::yield_now();
        }
    });
}

/// Returns the number of bytes that the socket takes now. This is `send(2)` without a signal if the peer has gone,
/// which costs less than `write(2)`.
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

/// The engine that was started, and the reason. Its `Display` is for the log.
#[derive(Debug)]
pub(crate) enum Started {
    /// io_uring was tried, and does what the engine relies on.
    IoUring,
    EpollChosen,
    /// Epoll is used because io_uring does not work. This is logged as a warning if io_uring was chosen.
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
