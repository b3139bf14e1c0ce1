//! The step that contenders have in common: the next item of a stream, or an error of any kind.
use futures_core::Stream;
use std::{error::Error, future::poll_fn, pin::Pin};

/// An error of any of them.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// The next item of a stream.
pub(super) async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}
