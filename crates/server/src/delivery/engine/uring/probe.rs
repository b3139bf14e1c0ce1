//! Tests of three properties on which the io_uring engine relies, with two pairs of sockets: sends arrive; if a socket
//! is full, a send reports at once how many bytes the socket took; and a send to a peer that has gone is an error.
use super::{Kept, Send, Uring, sent};
use io_uring::{IoUring, opcode};
use mio::net::TcpStream;
use std::{
    io::{self, Read},
    net::{Ipv4Addr, TcpListener, TcpStream as BlockingStream},
    sync::LazyLock,
    time::Duration,
};

/// The bytes of one send. They repeat a pattern of 251 bytes. A kernel takes bytes in sizes that are not multiples of
/// 251, so if it lost some of them, the bytes that arrive would break the pattern.
static CHUNK: LazyLock<Vec<u8>> = LazyLock::new(|| (0..=250).cycle().take(64 << 10).collect());
/// The greatest number of sends to a peer that does not read. Before it is reached, a send must fail or find the socket
/// full.
const MAX_SENDS: usize = 1_024;
/// The longest time that the peer waits for bytes to read.
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs all tests on a new ring.
///
/// # Errors
/// If any of the tests fails.
pub(super) fn run(uring: &mut Uring) -> io::Result<()> {
    let ring = uring.ring.as_ref().ok_or(io::ErrorKind::Unsupported)?;
    knows_send(ring)?;
    fills_and_reports(uring)?;
    reports_a_peer_that_has_gone(uring)
}

fn knows_send(ring: &IoUring) -> io::Result<()> {
    if !ring.params().is_feature_nodrop() {
        return Err(io::Error::other("the kernel may drop completions"));
    }
    let mut known = io_uring::Probe::new();
    ring.submitter().register_probe(&mut known)?;
    if known.is_supported(opcode::Send::CODE) {
        Ok(())
    } else {
        Err(io::Error::other("the kernel's io_uring does not support send"))
    }
}

fn fills_and_reports(uring: &mut Uring) -> io::Result<()> {
    let (socket, mut peer) = pair()?;
    let mut expected = Vec::new();
    for _ in 0..MAX_SENDS {
        let taken = send(uring, &socket, &CHUNK)?;
        expected.extend_from_slice(&CHUNK[..taken]);
        if taken > 0 {
            continue;
        }
        // After the socket is closed, the peer can read all bytes that were sent, and then the end of the stream. So
        // bytes that the kernel sent but did not report would be noticed.
        drop(socket);
        let mut received = Vec::with_capacity(expected.len());
        peer.read_to_end(&mut received)?;
        let is_right = received == expected && !expected.is_empty();
        return if is_right {
            Ok(())
        } else {
            Err(io::Error::other("a peer received other bytes than io_uring reported"))
        };
    }
    Err(io::Error::other("a socket whose peer does not read never gets full"))
}

fn reports_a_peer_that_has_gone(uring: &mut Uring) -> io::Result<()> {
    let (socket, peer) = pair()?;
    drop(peer);
    for _ in 0..MAX_SENDS {
        if send(uring, &socket, b":\n").is_err() {
            return Ok(());
        }
    }
    Err(io::Error::other("io_uring does not report that a peer has gone"))
}

/// Sends `bytes` through the ring, and returns the number of bytes that the socket took.
fn send(uring: &mut Uring, socket: &TcpStream, bytes: &'static [u8]) -> io::Result<usize> {
    let batch = [Send { member: 0, socket, bytes }];
    // SAFETY: the bytes are never freed and never change.
    #[allow(unsafe_code, reason = "the bytes live for ever")]
    match unsafe { uring.submit(&batch) } {
        Ok(1) => sent(&batch[0], uring.results[0]),
        Ok(_) => Err(io::Error::other("the ring of io_uring fails")),
        Err(Kept) => Err(io::Error::other("io_uring keeps a send that must not wait")),
    }
}

/// Returns a socket in the non-blocking mode that shards use, and its peer.
fn pair() -> io::Result<(TcpStream, BlockingStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let peer = BlockingStream::connect(listener.local_addr()?)?;
    peer.set_read_timeout(Some(READ_TIMEOUT))?;
    let (socket, address) = listener.accept()?;
    if address != peer.local_addr()? {
        return Err(io::Error::other("another program connected to the socket of the io_uring test"));
    }
    socket.set_nonblocking(true)?;
    Ok((TcpStream::from_std(socket), peer))
}
