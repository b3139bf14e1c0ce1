//! The code that contenders have in common: reading the next item of a stream, and an error of any kind.
use futures_core::Stream;
use std::{error::Error, future::poll_fn, pin::Pin};

/// An error of any client.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Returns the next item of a stream.
pub(super) async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}
