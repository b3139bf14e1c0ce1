//! Streams for programs without `async`.
use crate::{Error, EventSource};
use futures_core::Stream;
use std::{fmt, future::poll_fn, io, pin::Pin};
use tokio::runtime::{Builder, Runtime};

/// An iterator that waits for each item, made by [`Events::blocking`](crate::Events::blocking).
///
/// It owns a runtime that has no threads of its own. So everything happens within [`next`](Iterator::next): between two
/// calls no event is read, no ID is saved, and no ping of the server is answered. Another thread can end a call of
/// `next` that waits, with a [`Handle`](crate::Handle) that was made before.
///
/// # Panics
/// `next` and [`flush`](Self::flush) panic within asynchronous code, where a thread may not block. Use the stream
/// itself there, or `tokio::task::spawn_blocking`.
#[must_use = "an iterator of events does nothing until its `next` is called"]
pub struct Blocking<S> {
    stream: Pin<Box<S>>,
    /// The runtime; `None` only while this value is dropped.
    runtime: Option<Runtime>,
}

impl<S> Blocking<S> {
    pub(super) fn new(stream: S) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { stream: Box::pin(stream), runtime: Some(runtime) })
    }

    /// Returns the stream that the iterator reads from, for example for `ready_state()` and `last_event_id()` of an
    /// event source.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Returns the stream that the iterator reads from, for example for `close()` and `acknowledge()` of an event
    /// source.
    pub fn get_mut(&mut self) -> &mut S
    where
        S: Unpin,
    {
        &mut self.stream
    }
}

impl Blocking<EventSource> {
    /// Waits until all acknowledged IDs are saved.
    ///
    /// # Errors
    /// [`Error::Store`] if an ID cannot be saved.
    pub fn flush(&mut self) -> Result<(), Error> {
        running(&self.runtime).block_on(self.stream.flush())
    }
}

impl<S: Stream> Iterator for Blocking<S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        let stream = &mut self.stream;
        running(&self.runtime).block_on(async {
            let item = poll_fn(|cx| stream.as_mut().poll_next(cx)).await;
            if item.is_none() {
                // The task of the connection gets a turn, so that it notices that nobody reads from the connection any
                // more.
                tokio::task::yield_now().await;
            }
            item
        })
    }
}

fn running(runtime: &Option<Runtime>) -> &Runtime {
    runtime.as_ref().expect("the runtime exists until the iterator is dropped")
}

impl<S> Drop for Blocking<S> {
    fn drop(&mut self) {
        // `shutdown_background` does not wait for blocking tasks. Dropping the runtime would wait for them, which is
        // not allowed in asynchronous code.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for Blocking<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Blocking").field(&self.stream).finish()
    }
}
