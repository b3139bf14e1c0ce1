//! The handover of a connection from hyper to a shard. This module also finds the moment when the connection can be
//! taken apart. The handover relies on properties of hyper. The tests whose names are in brackets check these
//! properties:
//!
//! - hyper writes nothing of an answer before the service returns it, except `100 Continue`, and it sends that only if
//!   the request has a body and a handler reads the body. So the service stores an answer that can be handed over in
//!   [`Handover`], and the service's future stays pending (`the_stream_is_framed_by_the_end_of_the_connection`,
//!   `a_request_with_a_body_gets_the_same_stream_through_hyper`).
//! - hyper flushes its socket only when its own buffer is empty, and tries to flush after each poll of the service. So
//!   if a flush succeeds after the answer was stored, all earlier answers are sent
//!   (`a_parked_answer_waits_until_all_before_it_is_out`, `answers_to_requests_in_the_same_packet_come_first`,
//!   `answers_that_are_not_sent_yet_are_not_lost`, `a_large_answer_before_the_stream_is_whole`).
//! - hyper keeps the bytes that it has read after a request, and returns them when the connection is taken apart
//!   (`what_is_asked_behind_the_stream_is_not_answered`).
//! - hyper closes a connection after an answer with `Connection: close`. It reads a request's body from the socket
//!   while the service waits for the body (`a_body_that_nobody_reads_ends_the_connection_only_if_it_has_not_come`).
use super::{
    activity::{Activity, Busy},
    large_heads::HeadPermit,
    looks::Looks,
    query::Next,
    socket::Socket,
    unread::{has_come, is_read_by_a_handler},
};
use crate::{
    delivery::{
        head,
        stream::{Granted, Stream},
    },
    every_answer,
    problem::Problem,
};
use axum::{Router, body::Body, response::IntoResponse as _};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::{body::Incoming, rt, service::Service};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::pending,
    io::{self, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead as _, ReadBuf};
use tower_service::Service as _;

/// The place where a connection's service leaves the stream that the connection's task hands over to a shard. The
/// service, the socket and the task of the connection share it. All three run in one tokio task, so no thread ever
/// waits for the lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Handover(Arc<Mutex<Option<Parked>>>);

/// A stream that a shard will write instead of hyper.
#[derive(Debug)]
struct Parked {
    stream: Stream,
    /// True if hyper has flushed all earlier answers to the socket.
    flushed: bool,
}

impl Handover {
    fn park(&self, stream: Stream) {
        *self.lock() = Some(Parked { stream, flushed: false });
    }

    /// Notes that hyper has flushed the socket.
    fn flushed(&self) {
        if let Some(parked) = self.lock().as_mut() {
            parked.flushed = true;
        }
    }

    /// Returns the stored stream if every earlier answer has been sent; `None` if not, or if no stream is stored.
    pub(super) fn take(&self) -> Option<Stream> {
        self.lock().take_if(|parked| parked.flushed).map(|parked| parked.stream)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Parked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The memory, in bytes, of a connection that stays with hyper although a shard could deliver its stream: its task, and
/// buffers for what was read and for what is to be sent.
pub const STAYING_BYTES: usize = 96 << 10;

/// The mark of a request whose connection is not handed over to a shard, whatever its answer is: the request has a body,
/// or another method than `GET`, or the connection uses TLS 1.2 or HTTP/2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StaysWithHyper {
    /// The memory, in bytes, that a stream takes then in addition to what it takes in a shard.
    pub(crate) bytes: usize,
}

/// The service that hyper calls for each request of a connection. It passes the request to the routes. If their answer
/// can be handed over to a shard, the service stores it and never returns it to hyper.
pub(super) struct Requests {
    router: Router,
    handover: Option<Handover>,
    activity: Activity,
    refused: Refused,
}

/// A flag that becomes true when the connection ends after an answer although not everything that the peer sends was
/// read. The peer may then still be sending: the body of the request, or further requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused(Arc<AtomicBool>);

impl Refused {
    pub(super) fn get(&self) -> bool {
        // No ordering is needed, because one task sets and reads the flag: the service sets it, and `connection` reads
        // it at its end.
        self.0.load(Ordering::Relaxed)
    }
}

impl Requests {
    /// Creates the service. Without a `handover` it returns every answer to hyper.
    pub(super) fn new(router: Router, handover: Option<Handover>, activity: Activity) -> Self {
        Self { router, handover, activity, refused: Refused::default() }
    }

    /// Returns the flag that this service sets if it answers a request, and not everything that the peer sends is read.
    pub(super) fn refused(&self) -> Refused {
        self.refused.clone()
    }
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<Sending>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Sending>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let busy = self.activity.begin();
        // The head of the request shows whether a body follows: there is none if `Content-Length` is absent or 0, and
        // `Transfer-Encoding` is absent.
        let has_body = !request.body().is_end_stream();
        let alone = request.method() == Method::GET && !has_body;
        let handover = self.handover.clone().filter(|_| alone);
        if handover.is_none() {
            request.extensions_mut().insert(StaysWithHyper { bytes: STAYING_BYTES });
        }
        let version = request.version();
        let refused = self.refused.clone();
        let has_more = !has_body && self.activity.has_more();
        let is_last = has_more || self.activity.is_last();
        let problem = transfer_coding(request.headers()).err();
        if matches!(*request.method(), Method::GET | Method::QUERY) {
            // The handler gets the activity of the connection, to note in it that its answer has no end.
            request.extensions_mut().insert(self.activity.clone());
        } else if let Some(unhurried) = self.activity.unhurried() {
            // If the request has this mark, the handler that publishes lets the log delay the updates a little, to
            // write them together with other updates.
            request.extensions_mut().insert(unhurried);
        }
        let mut router = self.router.clone();
        Box::pin(async move {
            let mut is_unread = false;
            let mut response = match problem {
                Some(problem) => every_answer::with_fields(problem.into_response()),
                None if has_body && !is_read_by_a_handler(request.method()) => {
                    let (parts, body) = request.into_parts();
                    // A client that sent `Expect: 100-continue` waits before it sends the body. No handler reads this
                    // body, so the client gets no `100 Continue`.
                    is_unread = parts.headers.contains_key(header::EXPECT) || !has_come(body).await;
                    router.call(Request::from_parts(parts, Body::empty())).await?
                }
                // A router is always ready, so `poll_ready` need not be called.
                None => router.call(request).await?,
            };
            if is_unread || (has_body && !response.status().is_success()) {
                // hyper closes the connection if it has not read the whole body of the request. `Connection: close`
                // announces this. Without it, the client might send its next request on the connection that is being
                // closed, and could not know whether the hub has processed that next request.
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                refused.0.store(true, Ordering::Relaxed);
            }
            let granted = response.extensions().get::<Granted>();
            // An answer that is not a stream, or that no shard can take, is sent by hyper.
            match handover.and_then(|handover| Some((handover, granted?.take()?))) {
                Some((handover, mut stream)) => {
                    let framing = head::framing_of(version);
                    stream.opening = stream.opening.framed(framing);
                    let representation = stream.opening.key().representation;
                    stream.head = head::encode(&response.into_parts().0, framing, representation);
                    handover.park(stream);
                    pending().await
                }
                None => {
                    // Otherwise a silent connection would keep the memory of a large head, or of a part of one that came
                    // too early to be counted.
                    if is_last {
                        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                    }
                    if has_more {
                        refused.0.store(true, Ordering::Relaxed);
                    }
                    Ok(response.map(|body| Sending::new(body, busy)))
                }
            }
        })
    }
}

/// Refuses a body with a transfer coding other than `chunked`, since hyper decodes only `chunked` ([RFC 9112,
/// 6.1](https://www.rfc-editor.org/rfc/rfc9112#section-6.1)).
fn transfer_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let values = headers.get_all(header::TRANSFER_ENCODING).iter();
    let codings = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b',')).map(<[u8]>::trim_ascii);
    let mut codings = codings.filter(|coding| !coding.is_empty());
    match (codings.next(), codings.next()) {
        (None, None) => Ok(()),
        (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => Ok(()),
        _ => Err(Problem::TransferCoding),
    }
}

/// The body of an answer. The request counts as under way until this body is dropped.
pub(super) struct Sending {
    body: Body,
    _busy: Busy,
}

impl Sending {
    /// Creates the body of an answer to a request that is under way.
    pub(super) fn new(body: Body, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl http_body::Body for Sending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer by which hyper itself, without calling the service, wanted to refuse the head of a request, and that was
/// not sent.
pub(super) struct HeldBack {
    /// The bytes of the answer.
    pub(super) refusal: Vec<u8>,
    /// The number of bytes that were received since the head began, if it is known.
    head_bytes: Option<usize>,
}

impl HeldBack {
    /// Returns true if hyper could not read the head of a request, and `unread`, the contents of hyper's buffer, is
    /// this whole head from its first byte on. hyper also refuses some heads that it has already read and removed from
    /// its buffer. Then the buffer holds the body that follows the head, and this body must never be read as a request.
    pub(super) fn is_of(&self, unread: &[u8]) -> bool {
        let is_bad_request = self.refusal.get(8..12) == Some(b" 400");
        is_bad_request && !unread.is_empty() && self.head_bytes == Some(unread.len())
    }
}

/// The parts of a [`Noticing`].
pub(super) struct Parts {
    pub(super) socket: Socket,
    /// The looks at the peer.
    pub(super) looks: Looks,
    /// The answer of hyper that was held back.
    pub(super) held_back: HeldBack,
    /// The permit for large heads.
    pub(super) permit: HeadPermit,
    /// The bytes that were read and that hyper has not taken.
    pub(super) ahead: BytesMut,
}

/// The greatest number of bytes of a head that are read at a time. hyper's buffer has room for as many. This number
/// must not be smaller than hyper's buffer: if a request's body is not completely in the buffer and no handler reads
/// the body, hyper closes the connection.
const HEAD_READ_BYTES: usize = 64 << 10;

/// The greatest number of bytes that are read after the request for an endless stream. They are read to notice when the
/// peer closes its sending side.
const READ_AHEAD_BYTES: usize = 16 << 10;

/// A wrapper around a connection's socket that notices when hyper has flushed the socket, and fails if the peer takes
/// nothing of what is sent to it. During an endless answer, hyper does not read from the socket, so this type reads from
/// it, to notice when the peer has gone.
pub(super) struct Noticing {
    io: TokioIo<Socket>,
    handover: Option<Handover>,
    activity: Activity,
    looks: Looks,
    /// The bytes that have been read from the system's socket but not yet by hyper. The peer sent them during an
    /// endless answer, or they are a repaired head, or hyper's buffer had no room for them.
    ahead: BytesMut,
    /// The part of a request's first line to which the next byte of the head belongs.
    next: Next,
    /// True if a head that hyper refuses may be repaired and given to hyper once more.
    may_repair: bool,
    /// The answer by which hyper refuses a head. It is held back until it is known whether the head can be repaired.
    refusal: Vec<u8>,
    permit: HeadPermit,
}

impl Noticing {
    pub(super) fn new(
        socket: Socket,
        handover: Option<Handover>,
        activity: Activity,
        looks: Looks,
        permit: HeadPermit,
    ) -> Self {
        Self {
            io: TokioIo::new(socket),
            handover,
            activity,
            looks,
            ahead: BytesMut::new(),
            next: Next::default(),
            may_repair: true,
            refusal: Vec::new(),
            permit,
        }
    }

    /// Returns this socket for a connection whose `head` was already read and repaired. If hyper refuses this head
    /// again, hyper's answer is sent.
    pub(super) fn with_repaired(self, head: BytesMut) -> Self {
        Self { ahead: head, may_repair: false, ..self }
    }

    /// Returns true if the bytes that hyper is about to write are its refusal of a head, and must be held back. After
    /// this function has returned true, hyper's connection must not be polled any more.
    fn holds_back(&self) -> bool {
        self.may_repair && self.activity.refuses()
    }

    /// Takes this apart, after hyper has finished with it.
    pub(super) fn into_parts(self) -> Parts {
        let held_back = HeldBack { refusal: self.refusal, head_bytes: self.activity.head_bytes() };
        let Self { io, looks, permit, ahead, .. } = self;
        Parts { socket: io.into_inner(), looks, held_back, permit, ahead }
    }

    /// Reads bytes of a request's head, escapes the characters in its query that the client should have escaped, puts
    /// the bytes into hyper's buffer, and counts them.
    fn read_head(&mut self, cx: &mut Context<'_>, mut into: rt::ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let mut space = [MaybeUninit::uninit(); HEAD_READ_BYTES];
        let mut chunk = ReadBuf::uninit(&mut space[..into.remaining().min(HEAD_READ_BYTES)]);
        ready!(Pin::new(self.io.inner_mut()).poll_read(cx, &mut chunk))?;
        if self.activity.begins_head() {
            self.next = Next::default();
            self.permit.begin_head();
        }
        let came = self.next.escape(chunk.filled());
        // Escaping adds bytes, so there may be more than hyper's buffer has room for.
        let (now, later) = came.split_at(came.len().min(into.remaining()));
        into.put_slice(now);
        self.ahead.extend_from_slice(later);
        self.activity.received(Some(now.len()));
        self.permit.came(&came)?;
        if self.permit.is_held() {
            self.activity.ends_with_answer();
        }
        if self.permit.is_large_behind() {
            self.activity.more_came();
        }
        Poll::Ready(Ok(()))
    }

    /// Fails if an endless answer is under way and the peer has closed its sending side.
    fn look_for_the_end(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while self.activity.ends_with_peer() && self.ahead.len() < READ_AHEAD_BYTES {
            let mut chunk = [0; 1_024];
            let mut chunk = ReadBuf::new(&mut chunk);
            match Pin::new(self.io.inner_mut()).poll_read(cx, &mut chunk) {
                Poll::Pending => break,
                Poll::Ready(result) => result?,
            }
            if chunk.filled().is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.ahead.extend_from_slice(chunk.filled());
            // hyper may already be waiting for bytes to read, and `ahead` has some now, so hyper's task is woken.
            cx.waker().wake_by_ref();
        }
        Ok(())
    }

    /// Handles the result of a write, and returns it. If the socket had no room, checks whether the peer is still
    /// there, and returns an error if it has gone during an endless answer, or if it has taken nothing for too long.
    fn wrote(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.looks.wrote();
        match written {
            Poll::Pending => {
                self.looks.poll(self.io.inner().tcp(), cx)?;
                self.look_for_the_end(cx)?;
            }
            Poll::Ready(_) => self.activity.sent(),
        }
        written
    }
}

impl rt::Read for Noticing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut into: rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() && self.activity.reads_head() {
            return self.read_head(cx, into);
        }
        if !self.ahead.is_empty() {
            let count = self.ahead.len().min(into.remaining());
            into.put_slice(&self.ahead.split_to(count));
        } else {
            ready!(Pin::new(&mut self.io).poll_read(cx, into))?;
        }
        self.activity.received(None);
        Poll::Ready(Ok(()))
    }
}

impl rt::Write for Noticing {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.holds_back() {
            self.refusal = bytes.to_vec();
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.wrote(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.io).poll_flush(cx)?;
        let Self { looks, io, .. } = &mut *self;
        looks.poll(io.inner().tcp(), cx)?;
        if flushed.is_pending() {
            // rustls took the bytes that hyper wrote, and the socket has no room for them.
            self.look_for_the_end(cx)?;
            return Poll::Pending;
        }
        self.activity.flushed();
        if let Some(handover) = &self.handover {
            handover.flushed();
        }
        Poll::Ready(self.look_for_the_end(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.holds_back() {
            self.refusal = parts.iter().flat_map(|part| part.iter().copied()).collect();
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.io).poll_write_vectored(cx, parts);
        self.wrote(cx, written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanfare_hub::{
        Hub, HubLimits,
        audience_key::AudienceKey,
        grant::Matchers,
        log::{MemoryLog, Retention},
        representation::Representation,
        subscription::Start,
    };
    use tokio::sync::Semaphore;

    async fn stream() -> Stream {
        let log = MemoryLog::new(Retention::default());
        let hub = Hub::start(Arc::new(log), &HubLimits::default()).unwrap();
        let (matchers, representation) = (Matchers::any(), Representation::EventStream);
        let key = AudienceKey::new(matchers, Matchers::default(), representation);
        let opening = hub.open(key, Start::Now).await.unwrap();
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        Stream::new(opening, place, None)
    }

    #[tokio::test]
    async fn a_parked_answer_waits_until_all_before_it_is_out() {
        let handover = Handover::default();
        handover.flushed();
        assert!(handover.take().is_none(), "there is no stream");
        handover.park(stream().await);
        assert!(handover.take().is_none(), "an earlier flush says nothing about later bytes");
        handover.flushed();
        assert!(handover.take().is_some());
        assert!(handover.take().is_none(), "the stream was taken");
    }
}
