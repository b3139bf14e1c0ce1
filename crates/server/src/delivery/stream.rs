//! A stream that has been granted and has not begun.
//!
//! The handler of a subscribe request decides everything about a stream, but not who delivers it: that depends on the
//! connection, which the handler does not see. So both the extensions and the body of the response hold the same
//! [`Granted`], from which the stream can be taken once. If the connection takes the stream, a shard delivers it.
//! Otherwise the body takes it when hyper first polls the body, and hyper delivers it.
use crate::{auth::Signer, subscriptions::Arrival, tls::seal::Seal};
use fanfare_hub::opening::Opening;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedSemaphorePermit;

/// A stream that is to be delivered to one subscriber.
#[derive(Debug)]
pub struct Stream {
    /// The bytes that a shard sends first: the head of the response, and a heartbeat. Empty if hyper delivers the
    /// stream.
    pub(crate) head: Vec<u8>,
    /// What seals the stream if its connection uses TLS; `None` without TLS, and if hyper delivers the stream.
    pub(crate) seal: Option<Box<Seal>>,
    /// The subscription, the position where it begins, and the time when it ends.
    pub opening: Opening,
    /// The permit that counts this subscriber towards the limit on subscribers. When it is dropped, another subscriber
    /// can get it.
    pub place: OwnedSemaphorePermit,
    /// The arrival of the subscriber; `None` if the hub does not publish active subscriptions.
    pub(crate) arrival: Option<Arrival>,
    /// The signer of the token with which the stream was opened; `None` if it needed no token. The stream ends when the
    /// hub no longer trusts the signer.
    pub(crate) signer: Option<Arc<Signer>>,
}

/// A stream that can be taken once. If it is never taken, dropping all clones of this value ends the subscription.
#[derive(Clone, Debug)]
pub struct Granted(Arc<Mutex<Option<Stream>>>);

impl Stream {
    /// Creates a stream with an empty head, which needed no token. If a shard delivers the stream, the head is set
    /// later, when the response is complete.
    #[must_use]
    pub(crate) fn new(opening: Opening, place: OwnedSemaphorePermit, arrival: Option<Arrival>) -> Self {
        Self { head: Vec::new(), seal: None, opening, place, arrival, signer: None }
    }

    /// Sets the signer of the token with which the stream was opened.
    #[must_use]
    pub(crate) fn signed_by(self, signer: Option<Arc<Signer>>) -> Self {
        Self { signer, ..self }
    }
}

impl Granted {
    /// Creates a value from which `stream` can be taken once.
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
