//! Ports for servers that must be told their port: they cannot report a port that the system chose, or they are started
//! again on the port that they had before.
//!
//! It is not safe to bind a socket to port 0, to close it, and then to use the port that the system chose. The system
//! may give this port to another socket in the meantime. It may even give it to the socket that wants to connect to the
//! server: then this socket is connected to itself, and it looks as if the server had answered.
use socket2::{Domain, Socket, Type};
use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    ops::RangeInclusive,
    process,
    sync::{Mutex, PoisonError},
};

/// The lowest port that is reserved for a test. Lower ports are left to well-known services.
const FIRST: u16 = 10_000;
/// The range from which Linux chooses the ports of sockets that ask for none in particular, unless it is configured
/// otherwise.
const EPHEMERAL: RangeInclusive<u16> = 32_768..=60_999;
/// The distance between the ports at which processes with successive IDs begin their search, so that they rarely try
/// the same port.
const STRIDE: u32 = 61;

/// The sockets that hold the ports which this process has reserved.
static HELD: Mutex<Vec<Holder>> = Mutex::new(Vec::new());

/// The sockets that hold one port.
#[derive(Debug)]
struct Holder {
    /// Reserves the port among the processes that call [`reserve`]: each of them tries to bind this UDP port first.
    _udp: UdpSocket,
    /// Keeps the system from choosing the port. `None` if the port is outside the range from which the system chooses.
    _tcp: Option<Socket>,
}

/// Reserves a TCP port of the loopback address until this process ends.
///
/// The system does not choose this port for any socket, and this function does not return it in any other process. The
/// port is held by a UDP socket of the same number, so a server can bind the TCP port at any time. If the system
/// chooses from all ports, the port is held by a TCP socket as well: then only a server that sets `SO_REUSEADDR`, as
/// nearly all servers do, can bind it.
///
/// # Errors
/// Returns [`io::ErrorKind::AddrInUse`] if all ports are in use.
pub fn reserve() -> io::Result<SocketAddr> {
    reserve_beside(&ephemeral())
}

/// Reserves a port on a system that chooses ports from the range `chosen`.
fn reserve_beside(chosen: &RangeInclusive<u16>) -> io::Result<SocketAddr> {
    let candidates = candidates(chosen);
    let first = process::id().wrapping_mul(STRIDE) as usize;
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    for index in 0..candidates.len() {
        let port = candidates[(first + index) % candidates.len()];
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let Ok(udp) = UdpSocket::bind(address) else { continue };
        if TcpListener::bind(address).is_err() {
            continue;
        }
        let Ok(tcp) = chosen.contains(&port).then(|| bound(address)).transpose() else { continue };
        held.push(Holder { _udp: udp, _tcp: tcp });
        return Ok(address);
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no port is free"))
}

/// Returns a TCP socket that is bound and does not listen. The system then does not choose the port for another socket,
/// but a socket with `SO_REUSEADDR` can still bind it.
fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Returns the range from which this system chooses ports.
fn ephemeral() -> RangeInclusive<u16> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut numbers = text.split_whitespace().map_while(|number| number.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(first), Some(last)) => first..=last,
        _ => EPHEMERAL,
    }
}

/// Returns the ports that can be reserved: those outside the range from which the system chooses, or all ports if that
/// range contains all of them.
fn candidates(chosen: &RangeInclusive<u16>) -> Vec<u16> {
    let all = FIRST..=u16::MAX;
    let outside: Vec<u16> = all.clone().filter(|port| !chosen.contains(port)).collect();
    if outside.is_empty() { all.collect() } else { outside }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        collections::HashSet,
        net::TcpStream,
        thread,
        time::{Duration, Instant},
    };

    const PATIENCE: Duration = Duration::from_secs(10);

    #[test]
    fn a_reserved_port_is_given_once_and_never_chosen_by_the_system() {
        for chosen in [ephemeral(), EPHEMERAL, 1_024..=65_535] {
            let addresses: Vec<SocketAddr> = (0..100).map(|_| reserve_beside(&chosen).unwrap()).collect();
            assert_eq!(addresses.iter().collect::<HashSet<_>>().len(), addresses.len());
            for address in addresses.iter().filter(|address| chosen.contains(&address.port())) {
                let other = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
                assert!(other.bind(&(*address).into()).is_err(), "{address} is not held");
            }
            // A server can listen there, and can listen there again.
            for _ in 0..2 {
                let listener = listen(addresses[0]);
                assert!(TcpStream::connect(addresses[0]).is_ok());
                drop(listener);
            }
        }
    }

    /// Listens at an address. A program that another test is just starting may have a copy of the socket that listened
    /// there before, until the program runs.
    fn listen(address: SocketAddr) -> TcpListener {
        let begun = Instant::now();
        loop {
            match TcpListener::bind(address) {
                Err(_) if begun.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(10)),
                listener => return listener.unwrap(),
            }
        }
    }

    #[test]
    fn ports_are_taken_from_both_sides_of_the_range() {
        assert_eq!(candidates(&EPHEMERAL), (10_000..=32_767).chain(61_000..=65_535).collect::<Vec<_>>());
        assert_eq!(candidates(&(1_024..=65_535)), (10_000..=65_535).collect::<Vec<_>>());
    }
}
