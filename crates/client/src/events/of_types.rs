//! A stream of only those events that have certain types.
use crate::{Error, MessageEvent, Text};
use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

pin_project! {
    /// A stream of only those events that have certain types, made by [`Events::of_types`](crate::Events::of_types).
    #[derive(Debug)]
    #[must_use = "a stream does nothing until it is polled"]
    pub struct OfTypes<S> {
        #[pin]
        stream: S,
        types: Vec<Text>,
    }
}

/// The number of events of other types that are skipped before other tasks get their turn.
const EVENTS_PER_TURN: usize = 256;

impl<S> OfTypes<S> {
    pub(super) fn new(stream: S, types: Vec<Text>) -> Self {
        Self { stream, types }
    }

    /// Returns the inner stream, from which this stream reads its events.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Returns the inner stream, from which this stream reads its events, for example to close it.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

impl<S: Stream<Item = Result<MessageEvent, Error>>> Stream for OfTypes<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        for _ in 0..EVENTS_PER_TURN {
            match ready!(this.stream.as_mut().poll_next(cx)) {
                Some(Ok(event)) if !this.types.contains(&event.event_type) => {}
                other => return Poll::Ready(other),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S: FusedStream<Item = Result<MessageEvent, Error>>> FusedStream for OfTypes<S> {
    fn is_terminated(&self) -> bool {
        self.stream.is_terminated()
    }
}
