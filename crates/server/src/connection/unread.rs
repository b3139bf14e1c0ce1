//! The body of a request whose handler does not read it, such as the body of a `GET`. Usually it has arrived with the
//! head and is small. Then it is read here, and the connection can serve further requests. Otherwise hyper closes the
//! connection after the answer, and the answer must say so: without that, the client may send its next request on a
//! connection that is about to be closed.
use http::Method;
use http_body::Body;
use std::{future::poll_fn, pin::Pin, task::Poll};

/// The largest part of a body that is read if no handler reads it, so that the connection can serve another request.
pub(super) const MOST_BYTES: usize = 64 << 10;
/// The number of times that hyper may have no more of a body when it is polled, before the body counts as not arrived.
/// hyper reads from the socket between two polls of the service, so the first poll never finds more.
const ATTEMPTS: usize = 3;

/// Returns true for the methods whose handler reads the body if it answers with success.
pub(super) fn is_read_by_a_handler(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::QUERY)
}

/// Reads the bytes of a body that have arrived. Returns true if this was the whole body.
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
