//! A stream that has been granted and has not begun.
//!
//! The handler of a subscribe request decides everything about a stream, but not who delivers it: that depends on the
//! connection, which the handler does not see. So the response carries the stream twice, in a [`Granted`] in its
//! extensions and in its body. Whoever takes the stream first delivers it. If nobody takes it, the body begins the
//! stream when the body is polled.
use crate::subscriptions::Arrival;
use fanfare_hub::opening::Opening;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedSemaphorePermit;

/// A stream that is to be delivered to one subscriber.
#[derive(Debug)]
pub struct Stream {
    /// The bytes that are sent first, the response's head and a heartbeat, if the stream is delivered by writing to the
    /// socket directly; otherwise empty.
    pub(crate) head: Vec<u8>,
    /// The subscription, the position where it begins, and the time when it ends.
    pub opening: Opening,
    /// The permit for one subscriber; dropping it lets another subscriber in.
    pub place: OwnedSemaphorePermit,
    /// The arrival of the subscriber; `None` if the hub does not publish active subscriptions.
    pub(crate) arrival: Option<Arrival>,
}

/// A stream that can be taken once. Dropping all clones of it ends the subscription.
#[derive(Clone, Debug)]
pub struct Granted(Arc<Mutex<Option<Stream>>>);

impl Stream {
    /// Creates a stream whose head is not set: the code that has the connection sets or sends the head.
    #[must_use]
    pub(crate) fn new(opening: Opening, place: OwnedSemaphorePermit, arrival: Option<Arrival>) -> Self {
        Self { head: Vec::new(), opening, place, arrival }
    }
}

impl Granted {
    /// Grants a stream.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self(Arc::new(Mutex::new(Some(stream))))
    }

    /// Returns the stream, unless it was taken before.
    #[must_use]
    pub fn take(&self) -> Option<Stream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
