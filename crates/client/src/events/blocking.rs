//! Streams for programs without `async`.
use crate::{Error, EventSource};
use futures_core::Stream;
use std::{fmt, future::poll_fn, io, pin::Pin};
use tokio::runtime::{Builder, Runtime};

/// An iterator that waits for each item: made by [`Events::blocking`](crate::Events::blocking).
///
/// It owns a runtime that has no threads. So all that happens, happens within [`next`](Iterator::next): between two
/// calls nothing is read, kept or answered. A [`Handle`](crate::Handle), taken before, ends a `next` that waits, from
/// another thread.
///
/// # Panics
/// `next` and [`flush`](Self::flush) panic within asynchronous code, where nobody may wait: use the stream itself
/// there, or `tokio::task::spawn_blocking`.
#[must_use = "an event source does nothing until it is asked for events"]
pub struct Blocking<S> {
    stream: Pin<Box<S>>,
    /// `None` only while dropping.
    runtime: Option<Runtime>,
}

impl<S> Blocking<S> {
    pub(super) fn new(stream: S) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { stream: Box::pin(stream), runtime: Some(runtime) })
    }

    /// The stream behind it: `ready_state()` and `last_event_id()` of an event source.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream behind it: `close()` and `acknowledge()` of an event source.
    pub fn get_mut(&mut self) -> &mut S
    where
        S: Unpin,
    {
        &mut self.stream
    }
}

impl Blocking<EventSource> {
    /// Waits until all that was acknowledged is kept.
    ///
    /// # Errors
    /// [`Error::Store`] if it cannot be kept.
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
                // The connection's task has a turn to notice that nobody reads any more.
                tokio::task::yield_now().await;
            }
            item
        })
    }
}

fn running(runtime: &Option<Runtime>) -> &Runtime {
    runtime.as_ref().expect("it is there until it is dropped")
}

impl<S> Drop for Blocking<S> {
    fn drop(&mut self) {
        // Waiting for its tasks, as a runtime does when dropped, is not allowed everywhere.
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
