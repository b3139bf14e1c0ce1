//! A subscriber's connection: its source address, and the size of its buffer.
use mio::net::TcpStream;
use serde::{Deserialize, Serialize};
use socket2::{Domain, Socket, Type};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// The greatest number of subscribers that have the same source address. By default Linux has 28,232 ports for each
/// source address, and the fewer of them are free, the longer it takes to find one.
const SUBSCRIBERS_PER_SOURCE: u32 = 5_000;
/// The sizes of a slow reader's receive buffer and of its TCP segments, which are as large as on Ethernet. Over
/// loopback, segments have 64 KiB by default: then the kernel holds megabytes for each slow reader before the server
/// notices that it does not read.
const NARROW_BUFFER_BYTES: usize = 16 << 10;
const NARROW_SEGMENT_BYTES: u32 = 1_448;

/// The size of a connection's receive buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// The receive buffer has the system's default size.
    Full,
    /// The receive buffer has [`NARROW_BUFFER_BYTES`].
    Narrow,
}

/// The source addresses of a crowd's connections. Each crowd has addresses of its own: for a minute after a connection
/// has ended, the system does not use its port again, so crowds that connect one after the other would soon have used
/// all ports of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sources(u16);

impl Sources {
    /// Returns the source addresses of a crowd that is created at the time `now`: a part of 127/8.
    pub(super) fn of(now: Duration) -> Self {
        let mut hasher = DefaultHasher::new();
        (now, std::process::id()).hash(&mut hasher);
        let [.., high, low] = hasher.finish().to_be_bytes();
        Self(u16::from_be_bytes([high, low]))
    }

    /// Returns the source address of a subscriber; `None` if the server is not on loopback, because the system then
    /// chooses the address.
    fn address(self, peer: SocketAddr, number: u32) -> Option<Ipv4Addr> {
        let block = number / SUBSCRIBERS_PER_SOURCE;
        let host = (u32::from(self.0) << 8).saturating_add(block + 1).min(0x00ff_fffe);
        let loopback = peer.is_ipv4() && peer.ip().is_loopback();
        loopback.then(|| Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 0, 0).to_bits() + host))
    }
}

/// Begins to connect. The connection may not yet be established when this returns.
pub(super) fn connect(peer: SocketAddr, sources: Sources, number: u32, width: Width) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(peer), Type::STREAM, None)?;
    if width == Width::Narrow {
        socket.set_recv_buffer_size(NARROW_BUFFER_BYTES)?;
        socket.set_tcp_mss(NARROW_SEGMENT_BYTES)?;
    }
    if let Some(source) = sources.address(peer, number) {
        socket.bind(&SocketAddr::from((source, 0)).into())?;
    }
    // The socket is non-blocking before it connects, so that connecting never waits.
    socket.set_nonblocking(true)?;
    match socket.connect(&peer.into()) {
        Err(error) if !is_under_way(&error) => Err(error),
        _ => Ok(TcpStream::from_std(socket.into())),
    }
}

/// Returns true if `error` only says that the connection is still being established. This is `EINPROGRESS`, for which
/// `std` has no stable name.
fn is_under_way(error: &io::Error) -> bool {
    const EINPROGRESS: [i32; 2] = [115, 36];
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error().is_some_and(|code| EINPROGRESS.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_five_thousand_subscribers_have_a_source_address_on_loopback() {
        let local = "127.0.0.1:80".parse().unwrap();
        let cases = [
            (0, 0, [127, 0, 0, 1]),
            (0, SUBSCRIBERS_PER_SOURCE - 1, [127, 0, 0, 1]),
            (0x0102, SUBSCRIBERS_PER_SOURCE, [127, 1, 2, 2]),
            (u16::MAX, SUBSCRIBERS_PER_SOURCE * 253, [127, 255, 255, 254]),
            (u16::MAX, SUBSCRIBERS_PER_SOURCE * 300, [127, 255, 255, 254]),
        ];
        for (sources, number, address) in cases {
            assert_eq!(Sources(sources).address(local, number), Some(address.into()));
        }
        assert_eq!(Sources(7).address("192.0.2.1:80".parse().unwrap(), 0), None);
        assert_eq!(Sources(7).address("[::1]:80".parse().unwrap(), 0), None);
    }

    #[test]
    fn a_subscriber_connects_from_its_source_address() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        for (number, address) in [(0, [127, 0, 7, 1]), (SUBSCRIBERS_PER_SOURCE, [127, 0, 7, 2])] {
            let peer = listener.local_addr().unwrap();
            let _socket = connect(peer, Sources(7), number, Width::Narrow).unwrap();
            assert_eq!(listener.accept().unwrap().1.ip(), Ipv4Addr::from(address));
        }
    }
}
