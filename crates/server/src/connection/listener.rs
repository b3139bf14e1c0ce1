//! Accepting connections.
use super::{PROBE_AFTER, PROBE_INTERVAL, PROBES, UNSENT_BYTES};
use socket2::SockRef;
use std::{io, time::Duration};
use tokio::net::{TcpListener, TcpStream};

/// Linux gives the options of a listener to each socket that it accepts, which saves seven system calls for each
/// connection.
const OPTIONS_ARE_INHERITED: bool = cfg!(target_os = "linux");

/// A listener whose connections have the options that the server needs.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    write_timeout: Duration,
}

impl Listener {
    /// Takes over a listener. A connection ends if its peer accepts nothing for `write_timeout`.
    pub(crate) fn new(listener: TcpListener, write_timeout: Duration) -> Self {
        if OPTIONS_ARE_INHERITED {
            set_options(SockRef::from(&listener), write_timeout);
        }
        Self { listener, write_timeout }
    }

    /// Accepts a connection.
    ///
    /// # Errors
    /// As the system reports them, for example if there is no file descriptor left.
    ///
    /// # Cancel safety
    /// If the future is dropped, no connection is lost.
    pub(crate) async fn accept(&self) -> io::Result<TcpStream> {
        let (socket, _) = self.listener.accept().await?;
        if !OPTIONS_ARE_INHERITED {
            set_options(SockRef::from(&socket), self.write_timeout);
        }
        Ok(socket)
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

    /// A publisher may be silent for hours, and so is a peer that has vanished.
    #[tokio::test]
    async fn a_connection_has_the_options_of_the_server() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = Listener::new(listener, Duration::from_secs(7));
        let peer = TcpStream::connect(address).await.unwrap();
        let accepted = listener.accept().await.unwrap();
        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().unwrap());
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(7)));
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), PROBE_AFTER);
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), PROBE_INTERVAL);
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), PROBES);
        assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT_BYTES);
        drop(peer);
    }
}
