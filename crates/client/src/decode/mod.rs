//! Undoes `Content-Encoding`: decompresses the body of a response (RFC 9110, section 8.4).
//!
//! A server that compresses an event stream flushes after each event, so that each event is seen when it arrives. So
//! the decoder returns the decoded bytes of each piece from the network at once. The output pieces have a limited size,
//! and are decoded only when they are asked for: even if a few bytes decode to very many, no more than one piece of the
//! decoded bytes is in memory. A body without a coding is passed on unchanged.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

mod coding;
mod error;

#[cfg(feature = "compression")]
mod brotli;
#[cfg(feature = "compression")]
mod decoder;
#[cfg(feature = "compression")]
mod inflate;
#[cfg(feature = "compression")]
mod pipeline;
#[cfg(feature = "compression")]
mod zstd;

#[cfg(feature = "compression")]
pub(crate) use coding::ACCEPT_ENCODING;
pub use coding::Coding;
pub use error::{DecodeError, EncodingError};
#[cfg(feature = "compression")]
use pipeline::{Pipeline, Pull};

/// Returns the names in `Content-Encoding` that are not known, at most the first four. The body is read as if these
/// names were not there.
pub(crate) fn unknown_codings(headers: &HeaderMap) -> Vec<String> {
    coding::codings(headers).map(|codings| codings.unknown).unwrap_or_default()
}

/// A body with its content codings undone. If compression is not built in, [`new`](Self::new) returns an error for a
/// body that has a coding.
///
/// Only a body that has a coding needs memory for decoding: about 40 KiB for gzip and deflate. For br and zstd, it is
/// the window that the compressed data declares, at most 16 MiB for br and 8 MiB for zstd.
pub(crate) struct Decoded<B> {
    body: B,
    /// The decoding stages. Empty if there is no coding.
    #[cfg(feature = "compression")]
    pipeline: Pipeline,
    /// True if the body has ended or failed, so nothing more will come.
    is_over: bool,
}

impl<B> Decoded<B> {
    /// Makes a decoder for the body of a response with these headers.
    ///
    /// # Errors
    ///
    /// [`EncodingError`] if a coding is not built in, or if there are more than 4 codings.
    pub(crate) fn new(body: B, headers: &HeaderMap) -> Result<Self, EncodingError> {
        let codings = coding::codings(headers)?;
        debug_assert!(cfg!(feature = "compression") || codings.known.is_empty());
        Ok(Self {
            body,
            #[cfg(feature = "compression")]
            pipeline: Pipeline::new(&codings.known),
            is_over: false,
        })
    }

    /// Returns the original body if it has no coding, and otherwise this decoder as the error.
    pub(crate) fn into_plain(self) -> Result<B, Self> {
        if self.is_plain() { Ok(self.body) } else { Err(self) }
    }

    #[cfg(feature = "compression")]
    fn is_plain(&self) -> bool {
        self.pipeline.is_empty()
    }

    #[cfg(not(feature = "compression"))]
    fn is_plain(&self) -> bool {
        true
    }
}

impl<B> Decoded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<crate::BoxError>,
{
    fn poll_any(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, DecodeError>>> {
        #[cfg(feature = "compression")]
        if !self.is_plain() {
            return self.poll_decoded(context);
        }
        Pin::new(&mut self.body).poll_frame(context).map_err(|error| DecodeError::Body(error.into()))
    }

    #[cfg(feature = "compression")]
    fn poll_decoded(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, DecodeError>>> {
        loop {
            match self.pipeline.pull()? {
                Pull::Piece(piece) => return Poll::Ready(Some(Ok(Frame::data(piece)))),
                Pull::Spent => {
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Pull::Hungry => {}
            }
            let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(context));
            match frame.transpose().map_err(|error| DecodeError::Body(error.into()))?.map(Frame::into_data) {
                Some(Ok(data)) => self.pipeline.feed(data),
                Some(Err(trailers)) => return Poll::Ready(Some(Ok(trailers))),
                None => return Poll::Ready(self.pipeline.finish().err().map(Err)),
            }
        }
    }
}

impl<B> Body for Decoded<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<crate::BoxError>,
{
    type Data = Bytes;
    type Error = DecodeError;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, DecodeError>>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(None);
        }
        let polled = this.poll_any(context);
        this.is_over = matches!(polled, Poll::Ready(None | Some(Err(_))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.is_plain() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_plain() { self.body.size_hint() } else { SizeHint::default() }
    }
}

#[cfg(all(test, feature = "compression"))]
mod tests;
