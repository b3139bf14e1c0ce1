//! The state of a connection as Linux tells it: `TCP_INFO`, [tcp(7)](https://man7.org/linux/man-pages/man7/tcp.7.html).
use super::Sent;
use std::{
    mem::offset_of,
    os::fd::{AsFd, AsRawFd as _, BorrowedFd},
};

/// The size of `tcp_info` in the C library. The kernel's may be larger or smaller: newer kernels have more fields.
const SIZE: usize = size_of::<libc::tcp_info>();
/// The state `TCP_CLOSE` of a connection that has ended. It has data that nobody will ever acknowledge.
const CLOSED: u8 = 7;

/// Returns true if this system counts the bytes that a peer acknowledges. Linux counts them since version 4.6; a system
/// that only behaves like Linux may leave the fields zero. `socket` is connected.
pub(crate) fn is_counted(socket: &impl AsFd) -> bool {
    // A peer that has connected has sent at least one segment. The count of segments is as old as the other counts that
    // are needed here.
    let info = Info::of(socket.as_fd());
    info.is_some_and(|info| {
        info.u32(offset_of!(libc::tcp_info, tcpi_segs_in)).is_some_and(|count| count > 0) && info.sent().is_some()
    })
}

/// See [`Sent::of`].
pub(super) fn sent(socket: BorrowedFd<'_>) -> Option<Sent> {
    let info = Info::of(socket)?;
    (info.bytes(offset_of!(libc::tcp_info, tcpi_state)) != Some([CLOSED])).then(|| info.sent())?
}

/// The bytes of a `tcp_info`, as many of them as the kernel has filled.
struct Info {
    bytes: [u8; SIZE],
    filled: usize,
}

impl Info {
    fn of(socket: BorrowedFd<'_>) -> Option<Self> {
        let mut bytes = [0; SIZE];
        let mut filled = libc::socklen_t::try_from(SIZE).ok()?;
        // SAFETY: `socket` is open during the call. `bytes` may be written to, has the length `filled`, and every value
        // of its bytes is valid; the kernel writes at most `filled` bytes, and then their number to `filled`. It keeps
        // neither address after the call.
        #[allow(unsafe_code, reason = "no crate that is used here reads this option")]
        let result = unsafe {
            libc::getsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                bytes.as_mut_ptr().cast(),
                &raw mut filled,
            )
        };
        let filled = usize::try_from(filled).ok()?;
        (result == 0 && filled <= SIZE).then_some(Self { bytes, filled })
    }

    /// Returns `None` if the kernel has no such fields.
    fn sent(&self) -> Option<Sent> {
        Some(Sent {
            acknowledged: u64::from_ne_bytes(self.bytes(offset_of!(libc::tcp_info, tcpi_bytes_acked))?),
            unacknowledged_packets: self.u32(offset_of!(libc::tcp_info, tcpi_unacked))?,
            unsent_bytes: self.u32(offset_of!(libc::tcp_info, tcpi_notsent_bytes))?,
        })
    }

    fn u32(&self, offset: usize) -> Option<u32> {
        self.bytes(offset).map(u32::from_ne_bytes)
    }

    fn bytes<const LENGTH: usize>(&self, offset: usize) -> Option<[u8; LENGTH]> {
        self.bytes[..self.filled].get(offset..offset + LENGTH)?.try_into().ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use std::{
        io::{Read as _, Write as _},
        net::{TcpListener, TcpStream},
        thread,
        time::{Duration, Instant},
    };

    /// Looks until the state is as wanted.
    fn wait_for(socket: &TcpStream, wanted: impl Fn(Option<Sent>) -> bool) -> Option<Sent> {
        let begun = Instant::now();
        loop {
            let sent = sent(socket.as_fd());
            if wanted(sent) {
                return sent;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{sent:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn acknowledged_bytes_are_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut socket = listener.accept().unwrap().0;
        assert!(is_counted(&socket));
        let before = sent(socket.as_fd()).unwrap();
        socket.write_all(&[b'x'; 1_000]).unwrap();
        let after = wait_for(&socket, |sent| sent.unwrap().unacknowledged_packets == 0).unwrap();
        assert_eq!((after.acknowledged - before.acknowledged, after.unsent_bytes), (1_000, 0));
        socket.set_nonblocking(true).unwrap();
        while socket.write(&[b'x'; 100_000]).is_ok() {}
        let full = wait_for(&socket, |sent| sent.unwrap().unacknowledged_packets == 0).unwrap();
        assert!(full.unsent_bytes > 0, "{full:?}");
        peer.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut read = 0;
        while read < full.unsent_bytes as usize {
            read += peer.read(&mut [0; 100_000]).unwrap();
        }
        wait_for(&socket, |sent| sent.unwrap().acknowledged > full.acknowledged);
        // What has not come is never acknowledged.
        drop(peer);
        wait_for(&socket, |sent| sent.is_none());
    }

    /// An older kernel fills fewer bytes.
    #[test]
    fn a_field_that_is_not_filled_is_not_read() {
        let filled = |filled| Info { bytes: [1; SIZE], filled };
        let end = offset_of!(libc::tcp_info, tcpi_notsent_bytes) + 4;
        assert!(filled(end).sent().is_some());
        assert_eq!(filled(end - 1).sent(), None);
        assert_eq!(filled(0).sent(), None);
    }
}
