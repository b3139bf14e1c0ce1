//! When a connection can be taken apart. It rests on two properties of hyper:
//!
//! - It writes nothing of an answer before the service returns it, except `100 Continue`, and that only if the request has
//!   a body and somebody reads it. So the service parks an answer that can be handed over, and stays pending.
//! - It flushes its socket only once its own buffer is empty, and tries to after each time it asked the service. So a flush
//!   that succeeds after the answer was parked says that all earlier answers are out.
use crate::delivery::{
    head,
    shards::Handed,
    stream::{Granted, Stream},
};
use axum::{Router, body::Body};
use http::{HeaderValue, Method, Request, Response, Version, header, response::Parts};
use http_body::Body as _;
use hyper::{body::Incoming, rt, service::Service};
use hyper_util::rt::TokioIo;
use std::{
    convert::Infallible,
    future::pending,
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::net::TcpStream;
use tower_service::Service as _;

/// An answer that hyper is not to write.
#[derive(Debug)]
pub(super) struct Answer {
    /// As the request has it.
    version: Version,
    parts: Parts,
    stream: Stream,
}

impl Answer {
    /// What a shard needs to give it through `socket`. Not before the socket can be had: from here on others may wait.
    pub(super) async fn handed(self, socket: std::net::TcpStream) -> Handed {
        let Stream { opening, pace, place, arrival } = self.stream;
        let head = head::encode(&self.parts, self.version, opening.key().representation);
        Handed { socket, head, joining: opening.join().await, pace, place, arrival }
    }
}

/// Where a connection's service, its socket and its task meet. They run in one task, so the lock is never waited for.
#[derive(Clone, Debug, Default)]
pub(super) struct Handover(Arc<Mutex<Option<Parked>>>);

#[derive(Debug)]
struct Parked {
    answer: Answer,
    /// Whether hyper has written all that it had to.
    flushed: bool,
}

impl Handover {
    fn park(&self, answer: Answer) {
        *self.lock() = Some(Parked { answer, flushed: false });
    }

    /// hyper has flushed the socket.
    fn flushed(&self) {
        if let Some(parked) = self.lock().as_mut() {
            parked.flushed = true;
        }
    }

    /// The answer, once nothing stands before it.
    pub(super) fn take(&self) -> Option<Answer> {
        self.lock().take_if(|parked| parked.flushed).map(|parked| parked.answer)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Parked>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The routes as hyper's service. It does not return answers that can be handed over.
pub(super) struct Requests {
    router: Router,
    handover: Option<Handover>,
    refused: Refused,
}

/// Whether a request with a body was refused, so that its peer may still be sending.
#[derive(Clone, Debug, Default)]
pub(super) struct Refused(Arc<AtomicBool>);

impl Refused {
    pub(super) fn get(&self) -> bool {
        // The service and the connection's end are in one task.
        self.0.load(Ordering::Relaxed)
    }
}

impl Requests {
    /// A service that returns every answer if there is no `handover`.
    pub(super) fn new(router: Router, handover: Option<Handover>) -> Self {
        Self { router, handover, refused: Refused::default() }
    }

    /// Tells what becomes of the requests to come.
    pub(super) fn refused(&self) -> Refused {
        self.refused.clone()
    }
}

impl Service<Request<Incoming>> for Requests {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        // hyper knows that nothing follows the head: no `Content-Length` but 0, no `Transfer-Encoding`.
        let has_body = !request.body().is_end_stream();
        let alone = request.method() == Method::GET && !has_body;
        let handover = self.handover.clone().filter(|_| alone);
        let version = request.version();
        let refused = self.refused.clone();
        // A router is always ready.
        let answer = self.router.clone().call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            if has_body && !response.status().is_success() {
                // What is refused is not read to its end, and hyper then closes the connection. A client that is not told
                // may send its next request on it, and cannot know what became of that.
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                refused.0.store(true, Ordering::Relaxed);
            }
            let granted = response.extensions().get::<Granted>();
            // What cannot be handed over is left to the body.
            match handover.and_then(|handover| Some((handover, granted?.take()?))) {
                Some((handover, stream)) => {
                    handover.park(Answer { version, parts: response.into_parts().0, stream });
                    pending().await
                }
                None => Ok(response),
            }
        })
    }
}

/// A socket that notices when hyper has flushed it.
pub(super) struct Noticing {
    io: TokioIo<TcpStream>,
    handover: Option<Handover>,
}

impl Noticing {
    pub(super) fn new(socket: TcpStream, handover: Option<Handover>) -> Self {
        Self { io: TokioIo::new(socket), handover }
    }

    pub(super) fn into_inner(self) -> TcpStream {
        self.io.into_inner()
    }
}

impl rt::Read for Noticing {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: rt::ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, into)
    }
}

impl rt::Write for Noticing {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.io).poll_flush(cx))?;
        if let Some(handover) = &self.handover {
            handover.flushed();
        }
        Poll::Ready(Ok(()))
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
        Pin::new(&mut self.io).poll_write_vectored(cx, parts)
    }
}
