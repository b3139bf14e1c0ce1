//! Events whose data is JSON.
use crate::{Error, MessageEvent};
use futures_core::{FusedStream, Stream};
use pin_project_lite::pin_project;
use serde::de::DeserializeOwned;
use std::{
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// A stream of events with their data parsed as JSON, made by [`Events::json`](crate::Events::json).
    #[derive(Debug)]
    #[must_use = "a stream does nothing until it is polled"]
    pub struct Json<S, T> {
        #[pin]
        stream: S,
        value: PhantomData<fn() -> T>,
    }
}

/// An event, with its data parsed as JSON.
#[derive(Debug)]
#[non_exhaustive]
pub struct JsonEvent<T> {
    /// The unchanged event.
    pub event: MessageEvent,
    /// The data as a value of type `T`, or the error if the data is not JSON of a `T`.
    pub value: Result<T, serde_json::Error>,
}

impl<S, T> Json<S, T> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, value: PhantomData }
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

impl<S, T> Stream for Json<S, T>
where
    S: Stream<Item = Result<MessageEvent, Error>>,
    T: DeserializeOwned,
{
    type Item = Result<JsonEvent<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let read = |event: MessageEvent| JsonEvent { value: serde_json::from_str(&event.data), event };
        self.project().stream.poll_next(cx).map_ok(read)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

impl<S, T> FusedStream for Json<S, T>
where
    S: FusedStream<Item = Result<MessageEvent, Error>>,
    T: DeserializeOwned,
{
    fn is_terminated(&self) -> bool {
        self.stream.is_terminated()
    }
}
