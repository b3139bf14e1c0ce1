//! A connection with HTTP/2: hyper serves all its requests, also those that are answered with a stream.
//!
//! Many streams share one connection, so a connection cannot be given to a shard. In return, a browser needs one
//! connection for all its tabs.
//!
//! hyper writes each frame by itself. If an event goes to many streams of a connection, `Gathering` collects their
//! frames, and writes them together when hyper has nothing more to do.
mod flood;

use super::{
    activity::Activity,
    end::{reset, until_sent},
    handover::{Sending, StaysWithHyper},
    leaving::Left,
    linger::linger,
    looks::Looks,
    socket::Socket,
    watch::Watch,
};
use axum::{Router, body::Body, extract::Request};
use bytes::Bytes;
pub use flood::{FREE_FRAMES, FREE_FRAMES_PER_SECOND};
use flood::{FloodGuard, Flooded};
use http::Response;
use hyper::{body::Incoming, rt, server::conn::http2, service::Service};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::{
    convert::Infallible,
    future::poll_fn,
    io::{self, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, ReadBuf},
    time::{Sleep, sleep, timeout},
};
use tower_service::Service as _;

/// The greatest number of requests that a connection may have at a time. Further ones wait in the client. Browsers use
/// one connection for all tabs.
pub const MAX_STREAMS: u32 = 250;
/// The greatest number of bytes that wait in hyper for one stream whose reader does not read.
pub const MAX_STREAM_UNSENT_BYTES: usize = 16 << 10;
/// The memory, in bytes, of a stream: its tasks, and on the average the bytes that wait in hyper.
pub const STREAM_BYTES: usize = 8 << 10;
/// The time without a frame from the client after which it is asked whether it is still there, and the time that it has
/// to answer.
pub const PING_INTERVAL: Duration = Duration::from_secs(20);
/// The greatest size of all header fields of a request, in bytes.
pub const MAX_FIELDS_BYTES: u32 = 16 << 10;
/// The number of bytes that are read at a time.
const READ_BYTES: usize = 16 << 10;
/// The number of bytes that are gathered before they are written.
const GATHERED_BYTES: usize = 32 << 10;
/// The frame GOAWAY with the error `ENHANCE_YOUR_CALM`, which may be about any request ([RFC 9113,
/// 6.8](https://www.rfc-editor.org/rfc/rfc9113#section-6.8)).
const CALM_DOWN: [u8; 17] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 11];
/// The time that a connection without requests has to end after it was told to.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// The bytes with which each connection of a client with HTTP/2 begins ([RFC 9113,
/// 3.4](https://www.rfc-editor.org/rfc/rfc9113#section-3.4)).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// True if these are the first bytes of a connection with HTTP/2. hyper may have stopped before it got all of them: it
/// does so at the first byte that HTTP/1 does not have there.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(PREFACE) || (bytes.starts_with(b"PRI * HTTP/2") && PREFACE.starts_with(bytes))
}

/// Serves a connection, of which the bytes `beginning` were read already.
pub(super) async fn serve(socket: Socket, beginning: Bytes, looks: Looks, mut watch: Watch, requests: Requests) {
    let io = Gathering::new(socket, beginning, looks);
    let activity = requests.activity.clone();
    let mut connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_send_buf_size(MAX_STREAM_UNSENT_BYTES)
        .max_header_list_size(MAX_FIELDS_BYTES)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL)
        .serve_connection(io.clone(), requests);
    let (mut is_stopping, mut end) = (false, None::<Pin<Box<Sleep>>>);
    let left = poll_fn(|cx| {
        if watch.stops(cx) && !is_stopping {
            is_stopping = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        let ended = Pin::new(&mut connection).poll(cx);
        // hyper has nothing more to write now.
        let is_written = match io.lock().poll_write_out(cx) {
            Poll::Ready(Err(error)) => {
                tracing::debug!("a connection ended: {error}");
                return Poll::Ready(Left::Ended(None));
            }
            written => written.is_ready(),
        };
        if is_written {
            activity.flushed();
        }
        if let Poll::Ready(ended) = ended {
            return Poll::Ready(Left::Ended(ended.err()));
        }
        // The last request may have crossed the message that there should be none. hyper ends the connection after it.
        if activity.is_busy() {
            end = None;
        }
        if let Some(end) = &mut end {
            return end.as_mut().poll(cx).map(|()| Left::Late);
        }
        match ready!(watch.poll_end(cx)) {
            Left::Late => {
                // The client is told that no more requests are answered, and has time to hear it.
                Pin::new(&mut connection).graceful_shutdown();
                end = Some(Box::pin(sleep(END_TIMEOUT)));
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            left => Poll::Ready(left),
        }
    });
    let left = left.await;
    drop(connection);
    let Some(mut shared) = io.into_inner() else { return };
    match left {
        _ if shared.looks.is_overdue() => reset(shared.socket.tcp()),
        Left::Ended(None) => until_sent(shared.socket, shared.looks, watch).await,
        Left::Ended(Some(error)) => {
            tracing::debug!("a connection ended: {error}");
            // The peer may still be sending, and should read why the connection ends.
            if timeout(END_TIMEOUT, poll_fn(|cx| shared.poll_write_out(cx))).await.is_ok() {
                linger(shared.socket).await;
            }
        }
        Left::Cut => tracing::debug!("a connection was closed because the server stops"),
        Left::Late | Left::Granted(_) | Left::Refused => linger(shared.socket).await,
    }
}

/// The service that hyper calls for each request of a connection.
pub(super) struct Requests {
    pub(super) router: Router,
    pub(super) activity: Activity,
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<Sending>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Sending>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let busy = self.activity.begin();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(StaysWithHyper { bytes: STREAM_BYTES });
        // A router is always ready, so `poll_ready` need not be called.
        let answer = self.router.clone().call(request);
        Box::pin(async move { Ok(answer.await?.map(|body| Sending::new(body, busy))) })
    }
}

/// A socket that gathers what hyper writes. hyper and the task of the connection share it; both run in one task, so no
/// thread ever waits for the lock.
#[derive(Clone)]
struct Gathering(Arc<Mutex<Shared>>);

struct Shared {
    socket: Socket,
    looks: Looks,
    /// The bytes that were read before hyper has got the socket.
    beginning: Bytes,
    /// The bytes that hyper has written, and the number of those that were sent.
    gathered: Vec<u8>,
    sent: usize,
    guard: FloodGuard,
}

impl Gathering {
    fn new(socket: Socket, beginning: Bytes, looks: Looks) -> Self {
        let guard = FloodGuard::new(PREFACE.len(), Instant::now());
        Self(Arc::new(Mutex::new(Shared { socket, looks, beginning, gathered: Vec::new(), sent: 0, guard })))
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the socket. `None` if hyper still has it.
    fn into_inner(self) -> Option<Shared> {
        Some(Arc::into_inner(self.0)?.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    /// Writes all bytes that were gathered, and looks at the peer if this is due.
    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.gathered.len() {
            self.looks.wrote();
            match Pin::new(&mut self.socket).poll_write(cx, &self.gathered[self.sent..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(written) => self.sent += written?,
                Poll::Pending => {
                    self.looks.poll(self.socket.tcp(), cx)?;
                    return Poll::Pending;
                }
            }
        }
        // An idle connection keeps no memory for this.
        (self.gathered, self.sent) = (Vec::new(), 0);
        // rustls may have taken bytes for which the socket has no room, so the peer is looked at in any case.
        let flushed = Pin::new(&mut self.socket).poll_flush(cx)?;
        self.looks.poll(self.socket.tcp(), cx)?;
        flushed.map(Ok)
    }

    /// Notes that these bytes have come.
    ///
    /// # Errors
    /// If the peer has sent too many frames. It is told so, and the connection is to be closed.
    fn came(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.guard.came(bytes, Instant::now()).map_err(|Flooded| {
            self.gathered.extend_from_slice(&CALM_DOWN);
            io::Error::other("the peer sends too many frames")
        })
    }

    /// Waits until there is room for more bytes.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.gathered.len() < GATHERED_BYTES { Poll::Ready(Ok(())) } else { self.poll_write_out(cx) }
    }
}

/// Writes out until the socket takes no more, and returns true if the peer is given up.
#[cfg(test)]
pub(super) async fn write_out(socket: Socket, looks: Looks) -> bool {
    let io = Gathering::new(socket, Bytes::new(), looks);
    io.lock().gathered.push(b'x');
    _ = poll_fn(|cx| io.lock().poll_write_out(cx)).await;
    io.into_inner().is_some_and(|shared| shared.looks.is_overdue())
}

impl rt::Read for Gathering {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, mut into: rt::ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.lock();
        if !shared.beginning.is_empty() {
            let count = shared.beginning.len().min(into.remaining());
            let bytes = shared.beginning.split_to(count);
            shared.came(&bytes)?;
            into.put_slice(&bytes);
            return Poll::Ready(Ok(()));
        }
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut chunk = ReadBuf::uninit(&mut space[..into.remaining().min(READ_BYTES)]);
        ready!(Pin::new(&mut shared.socket).poll_read(cx, &mut chunk))?;
        shared.came(chunk.filled())?;
        into.put_slice(chunk.filled());
        Poll::Ready(Ok(()))
    }
}

impl rt::Write for Gathering {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut shared = self.lock();
        ready!(shared.poll_room(cx))?;
        shared.gathered.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    /// Does nothing unless very much was gathered: the task of the connection writes everything after hyper's turn.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lock().poll_room(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.lock();
        ready!(shared.poll_write_out(cx))?;
        Pin::new(&mut shared.socket).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut shared = self.lock();
        ready!(shared.poll_room(cx))?;
        let before = shared.gathered.len();
        parts.iter().for_each(|part| shared.gathered.extend_from_slice(part));
        Poll::Ready(Ok(shared.gathered.len() - before))
    }
}
