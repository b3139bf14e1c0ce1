//! The sockets on which a server accepts connections, each with its own TLS settings.
use crate::tls::Tls;
use std::{
    future::poll_fn,
    io,
    sync::atomic::{AtomicUsize, Ordering},
    task::Poll,
};
use tokio::net::{TcpListener, TcpStream};

/// A socket on which a server accepts connections.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    tls: Option<Tls>,
}

/// The sockets on which a server accepts connections.
#[derive(Debug)]
pub struct Listeners {
    all: Vec<Listener>,
    /// The number of the listener that is asked first for the next connection, so that none is asked last for ever.
    first: AtomicUsize,
}

impl Listener {
    /// Creates a listener without TLS.
    #[must_use]
    pub fn new(socket: TcpListener) -> Self {
        Self { socket, tls: None }
    }

    /// Sets TLS for the connections of this listener: with it, clients must use `https`. Default: none.
    #[must_use]
    pub fn with_tls(self, tls: impl Into<Option<Tls>>) -> Self {
        Self { tls: tls.into(), ..self }
    }
}

impl Listeners {
    /// Waits for the next connection of any listener. If the future is dropped, no connection is lost.
    pub(crate) async fn accept(&self) -> io::Result<(TcpStream, Option<Tls>)> {
        poll_fn(|cx| {
            let first = self.first.load(Ordering::Relaxed);
            for number in (0..self.all.len()).map(|number| (first + number) % self.all.len()) {
                let listener = &self.all[number];
                if let Poll::Ready(accepted) = listener.socket.poll_accept(cx) {
                    self.first.store(number + 1, Ordering::Relaxed);
                    return Poll::Ready(accepted.map(|(socket, _)| (socket, listener.tls.clone())));
                }
            }
            Poll::Pending
        })
        .await
    }
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self::new(socket)
    }
}

impl FromIterator<Listener> for Listeners {
    fn from_iter<I: IntoIterator<Item = Listener>>(listeners: I) -> Self {
        Self { all: listeners.into_iter().collect(), first: AtomicUsize::new(0) }
    }
}

impl From<Listener> for Listeners {
    fn from(listener: Listener) -> Self {
        [listener].into_iter().collect()
    }
}

impl From<TcpListener> for Listeners {
    fn from(socket: TcpListener) -> Self {
        Listener::new(socket).into()
    }
}
