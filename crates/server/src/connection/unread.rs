//! The reading of a request's body if no handler reads it, such as the body of a `GET`. Usually the body is small and
//! has arrived with the head. In this case this module reads the body, and the connection can serve further requests.
//! Otherwise hyper closes the connection after the answer, and the answer must announce this: the client might
//! otherwise send its next request on a connection that is about to be closed.
use http::Method;
use http_body::Body;
use std::{future::poll_fn, pin::Pin, task::Poll};

/// The largest body that is read if no handler reads it, so that the connection can serve another request.
pub(super) const MOST_BYTES: usize = 64 << 10;
/// The number of polls in a row that may find no further bytes of a body. If one more poll finds none, the rest of the
/// body counts as not arrived. The first poll only finds what arrived with the head, since hyper reads from the socket
/// only between two polls of the service.
const ATTEMPTS: usize = 3;

/// Returns true if the handler for this method reads the body of each request that it does not refuse.
pub(super) fn is_read_by_a_handler(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::QUERY)
}

/// Reads the bytes of a body that have arrived. Returns true if this was the whole body and the body is at most
/// [`MOST_BYTES`] long.
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
