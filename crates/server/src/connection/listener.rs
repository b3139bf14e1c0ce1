//! Accepting connections.
use super::{PROBE_AFTER, PROBE_INTERVAL, PROBES, UNSENT_BYTES};
use socket2::SockRef;
use std::{io, net::TcpStream, time::Duration};
use tokio::io::{Interest, unix::AsyncFd};

/// Linux gives the options of a listener to each socket that it accepts, which saves seven system calls for each
/// connection.
const OPTIONS_ARE_INHERITED: bool = cfg!(target_os = "linux");

/// A listener that accepts sockets which no runtime watches yet. The runtime that serves a connection watches its
/// socket: if the runtime that accepts it watched it as well, each connection would cost two more system calls.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: AsyncFd<mio::net::TcpListener>,
    write_timeout: Duration,
}

impl Listener {
    /// Takes over a listener. Accepted connections get the options that the server needs, and end if the peer accepts
    /// nothing for `write_timeout`.
    ///
    /// # Errors
    /// If the runtime cannot watch the listener.
    pub(crate) fn new(listener: tokio::net::TcpListener, write_timeout: Duration) -> io::Result<Self> {
        if OPTIONS_ARE_INHERITED {
            set_options(SockRef::from(&listener), write_timeout);
        }
        let listener = mio::net::TcpListener::from_std(listener.into_std()?);
        Ok(Self { listener: AsyncFd::register_with_interest(listener, Interest::READABLE)?, write_timeout })
    }

    /// Accepts a connection. Its socket does not block.
    ///
    /// # Errors
    /// As the system reports them, for example if there is no file descriptor left.
    ///
    /// # Cancel safety
    /// If the future is dropped, no connection is lost.
    pub(crate) async fn accept(&self) -> io::Result<TcpStream> {
        let (socket, _) = self.listener.async_io(Interest::READABLE, mio::net::TcpListener::accept).await?;
        if !OPTIONS_ARE_INHERITED {
            set_options(SockRef::from(&socket), self.write_timeout);
        }
        Ok(socket.into())
    }
}

/// Sets the options of a connection's socket. If this fails, the peer is gone, and the next read reports that.
fn set_options(socket: SockRef<'_>, write_timeout: Duration) {
    let set = || {
        // Events are small, and each must be sent at once.
        socket.set_tcp_nodelay(true)?;
        #[cfg(target_os = "linux")]
        {
            socket.set_tcp_user_timeout(Some(write_timeout))?;
            let keepalive = socket2::TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_INTERVAL);
            socket.set_tcp_keepalive(&keepalive.with_retries(PROBES))?;
            socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
        }
        io::Result::Ok(())
    };
    if let Err(error) = set() {
        tracing::debug!("cannot set the options of a socket: {error}");
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use tokio::net;

    /// A publisher may be silent for hours, and so is a peer that has vanished.
    #[tokio::test]
    async fn a_connection_has_the_options_of_the_server() {
        let listener = net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = Listener::new(listener, Duration::from_secs(7)).unwrap();
        let peer = net::TcpStream::connect(address).await.unwrap();
        let accepted = listener.accept().await.unwrap();
        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(7)));
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), PROBE_AFTER);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), PROBE_INTERVAL);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), PROBES);
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT_BYTES);
        assert!(socket.nonblocking().unwrap());
        drop(peer);
    }
}
