//! A stream that ends with an event that marks its end.
use crate::{Error, MessageEvent, Text};
use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// A stream of the events before the event that marks the end, made by [`Events::until`](crate::Events::until).
    ///
    /// When the marker comes, the inner stream is dropped, and IDs that were not yet saved in a store are never saved.
    /// So the program may get the last events again when it starts the next time, as after a crash.
    #[derive(Debug)]
    #[must_use = "a stream does nothing until it is polled"]
    pub struct Until<S> {
        // The inner stream; `None` after the end.
        #[pin]
        stream: Option<S>,
        marker: Text,
        is_prefix: bool,
    }
}

impl<S> Until<S> {
    pub(super) fn new(stream: S, marker: Text, is_prefix: bool) -> Self {
        Self { stream: Some(stream), marker, is_prefix }
    }

    /// Returns the inner stream, from which this stream reads its events; `None` after the end.
    #[must_use]
    pub fn get_ref(&self) -> Option<&S> {
        self.stream.as_ref()
    }

    /// Returns the inner stream, from which this stream reads its events, for example to close it; `None` after the
    /// end.
    pub fn get_mut(&mut self) -> Option<&mut S> {
        self.stream.as_mut()
    }
}

impl<S: Stream<Item = Result<MessageEvent, Error>>> Stream for Until<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let Some(stream) = this.stream.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let is_last = |event: &MessageEvent| match *this.is_prefix {
            true => event.data.starts_with(this.marker.as_str()),
            false => event.data == *this.marker,
        };
        let last = match ready!(stream.poll_next(cx)) {
            Some(Ok(event)) if !is_last(&event) => return Poll::Ready(Some(Ok(event))),
            Some(Ok(_)) => None,
            Some(Err(error)) => Some(Err(error)),
            None => Some(Err(Error::Unfinished { marker: this.marker.clone() })),
        };
        this.stream.set(None);
        Poll::Ready(last)
    }
}

impl<S: Stream<Item = Result<MessageEvent, Error>>> FusedStream for Until<S> {
    fn is_terminated(&self) -> bool {
        self.stream.is_none()
    }
}
