//! The body of a request whose handler reads none, such as a `GET`. As a rule it has come with its head and is small;
//! then it is read here and the connection goes on. Otherwise hyper closes the connection behind the answer, and the
//! answer has to say so: a client that is not told may send its next request on a connection that is about to be
//! closed.
use http::Method;
use http_body::Body;
use std::{future::poll_fn, pin::Pin, task::Poll};

/// The most bytes that are read of a body that no handler reads, so that the connection can go on.
pub(super) const MOST_BYTES: usize = 64 << 10;
/// The number of times that hyper is asked in vain for more of a body before it is taken for one that has not come.
/// hyper reads from the socket between two polls of the service, so that the first attempt is always in vain.
const ATTEMPTS: usize = 3;

/// True for requests whose body a handler reads if the request is answered with success.
pub(super) fn is_read_by_a_handler(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::QUERY)
}

/// Reads as much of a body as has come. Returns true if that is all of it.
pub(super) async fn has_come(mut body: impl Body + Unpin) -> bool {
    let (mut bytes, mut in_vain) = (0, 0);
    poll_fn(|cx| {
        loop {
            match Pin::new(&mut body).poll_frame(cx) {
                Poll::Ready(None) => return Poll::Ready(true),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(false),
                Poll::Ready(Some(Ok(frame))) => {
                    in_vain = 0;
                    bytes += frame.data_ref().map_or(0, bytes::Buf::remaining);
                    if bytes > MOST_BYTES {
                        return Poll::Ready(false);
                    }
                }
                Poll::Pending => {
                    in_vain += 1;
                    if in_vain > ATTEMPTS {
                        return Poll::Ready(false);
                    }
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    })
    .await
}
