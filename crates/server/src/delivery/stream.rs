//! A stream that is granted and has not begun.
//!
//! The handler of a subscribe request decides everything, and then does not know who delivers: that depends on the
//! connection, which it does not see. So the response carries the stream twice, in a [`Granted`] of its extensions and
//! in its body. Who takes it first has it. Where nobody does, the body begins it when it is polled, as any body would.
use crate::subscriptions::Arrival;
use fanfare_hub::opening::Opening;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedSemaphorePermit;

/// A stream that is to be delivered to one subscriber.
#[derive(Debug)]
pub struct Stream {
    /// The head of the response and what follows it at once, if whoever delivers writes to the socket itself; else
    /// empty.
    pub(crate) head: Vec<u8>,
    /// The subscription, where it begins, and when it ends.
    pub opening: Opening,
    /// Frees the subscriber's place when it is dropped.
    pub place: OwnedSemaphorePermit,
    /// The sign by which others are told that the subscriber is there, if that is told.
    pub(crate) arrival: Option<Arrival>,
}

/// A stream that whoever comes first may take. Dropping all clones of it ends the subscription.
#[derive(Clone, Debug)]
pub struct Granted(Arc<Mutex<Option<Stream>>>);

impl Stream {
    /// A stream whose head is written by whoever has the connection.
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

    /// The stream, if nobody has taken it before.
    #[must_use]
    pub fn take(&self) -> Option<Stream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
