//! The body of a response.
use super::pool::Slot;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// The body of a response from a [`HyperTransport`](super::HyperTransport). Dropping it ends the response.
pub struct HyperBody {
    incoming: Incoming,
    /// The slot that the response takes among the streams of its HTTP/2 connection.
    _slot: Option<Slot>,
}

impl HyperBody {
    pub(super) fn new(incoming: Incoming, slot: Option<Slot>) -> Self {
        Self { incoming, _slot: slot }
    }
}

impl Body for HyperBody {
    type Data = Bytes;
    type Error = hyper::Error;

    #[inline]
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.incoming).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl fmt::Debug for HyperBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HyperBody").field(&self.incoming).finish()
    }
}
