//! One connection: hyper serves its requests, until one is answered with a stream that can be delivered without hyper.
//!
//! A connection that waits in hyper keeps its buffers and its task for as long as its stream lasts. So when the routes
//! grant a stream, `handover` keeps the answer from hyper, and the connection's task takes the connection apart and
//! hands the socket to a shard, which writes the head itself. That drops the service's future, and what was read ahead:
//! behind an answer with `Connection: close` further requests must not be processed ([RFC 9112, 9.6]).
//!
//! A request with a body, or without a shard to take its stream, is answered through hyper, with the same events. Either
//! way a peer that ends its sending is taken for gone, although it might still read: nothing else tells that a client has
//! left while there is nothing to send to it.
//!
//! [RFC 9112, 9.6]: https://www.rfc-editor.org/rfc/rfc9112#section-9.6
mod handover;
mod linger;

use crate::delivery::shards::Shards;
use axum::Router;
use handover::{Handover, Noticing, Requests};
use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;
use linger::linger;
pub use linger::{LINGER_BYTES, LINGER_TIMEOUT};
use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream, sync::watch};

/// How long a connection may take to send the head of a request; also, how long it may idle between two requests.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(60);
/// How many bytes of a request's head, and of answers that the peer does not read, are held per connection. A frame that
/// is larger goes out alone.
pub const CONNECTION_BUFFER_BYTES: usize = 64 << 10;
/// How many bytes that cannot be sent yet the system holds per connection. More would only age there, in memory that no
/// limit of ours counts: what a slow reader still needs, the window has for all of them.
pub const UNSENT_BYTES: u32 = 128 << 10;

/// What every connection of a server is served with.
#[derive(Clone, Debug)]
pub(crate) struct Serving {
    pub(crate) router: Router,
    /// How long a peer may take nothing of what is sent to it.
    pub(crate) write_timeout: Duration,
    /// Who takes the streams that hyper need not deliver.
    pub(crate) shards: Option<Arc<Shards>>,
}

impl Serving {
    /// Serves a connection to its end, or until it is a shard's. When `stop` changes, the request that is under way is the
    /// last.
    pub(crate) async fn connection(self, socket: TcpStream, mut stop: watch::Receiver<()>) {
        prepare(&socket, self.write_timeout);
        let handover = self.shards.is_some().then(Handover::default);
        let io = Noticing::new(socket, handover.clone());
        let requests = Requests::new(self.router, handover.clone());
        let refused = requests.refused();
        let mut connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(CONNECTION_BUFFER_BYTES)
            .serve_connection(io, requests);

        let mut stopped = pin!(stop.changed());
        let mut stopping = false;
        let left = poll_fn(|cx| {
            if !stopping && stopped.as_mut().poll(cx).is_ready() {
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            match connection.poll_without_shutdown(cx) {
                Poll::Ready(ended) => Poll::Ready(ended.map(|()| None)),
                Poll::Pending => match handover.as_ref().and_then(Handover::take) {
                    Some(answer) => Poll::Ready(Ok(Some(answer))),
                    None => Poll::Pending,
                },
            }
        });
        match (left.await, self.shards) {
            (Ok(Some(answer)), Some(shards)) => match connection.into_parts().io.into_inner().into_std() {
                Ok(socket) => shards.take(answer.handed(socket).await),
                Err(error) => tracing::debug!("a socket was lost: {error}"),
            },
            (ended, _) => {
                let socket = connection.into_parts().io.into_inner();
                end(socket, ended.err(), refused.get()).await;
            }
        }
    }
}

/// Ends a connection that hyper has finished with.
async fn end(mut socket: TcpStream, error: Option<hyper::Error>, refused: bool) {
    if let Some(error) = &error {
        tracing::debug!("a connection ended: {error}");
    }
    // What is no request is refused by hyper, and as little read to its end.
    if refused || error.is_some() {
        linger(socket).await;
    } else if let Err(error) = socket.shutdown().await {
        tracing::debug!("a connection was not ended: {error}");
    }
}

/// Sets a socket's options. Where that fails, the peer is gone, which reading from it will tell.
fn prepare(socket: &TcpStream, write_timeout: Duration) {
    let set = || {
        // Events are small and each is to leave at once.
        socket.set_nodelay(true)?;
        #[cfg(target_os = "linux")]
        {
            let socket = socket2::SockRef::from(socket);
            socket.set_tcp_user_timeout(Some(write_timeout))?;
            socket.set_tcp_notsent_lowat(UNSENT_BYTES)?;
        }
        io::Result::Ok(())
    };
    if let Err(error) = set() {
        tracing::debug!("cannot set the options of a socket: {error}");
    }
}
