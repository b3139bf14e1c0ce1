//! The arrival of a subscriber, and its end.
use super::{request::Request, subscriber::Subscriber};
use fanfare_hub::audience_key::AudienceKey;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc::UnboundedSender};
use uuid::Uuid;

/// A subscriber that may begin, and of whom nobody knows yet.
#[derive(Debug)]
pub(crate) struct Arrival {
    payloads: Option<Box<[Option<Arc<Value>>]>>,
    room: OwnedSemaphorePermit,
    requests: UnboundedSender<Request>,
}

impl Arrival {
    pub(super) fn new(
        payloads: Option<Box<[Option<Arc<Value>>]>>,
        room: OwnedSemaphorePermit,
        requests: UnboundedSender<Request>,
    ) -> Self {
        Self { payloads, room, requests }
    }

    /// It has joined the audience with this key, the one that it was taken in for: who hears of it may publish, and it
    /// will receive that. Waits for nothing and takes no lock.
    pub(crate) fn begin(self, key: &Arc<AudienceKey>) -> Present {
        let Self { payloads, room, requests } = self;
        let subscriber = Arc::new(Subscriber { id: Uuid::new_v4(), key: key.clone(), payloads });
        // The teller gives it back once it has told of the end.
        room.forget();
        // Refused only by a teller that has ended with its log.
        _ = requests.send(Request::Came(subscriber.clone()));
        Present { subscriber, requests }
    }
}

/// A subscriber that is there. Dropping this ends its subscriptions.
#[derive(Debug)]
pub(crate) struct Present {
    subscriber: Arc<Subscriber>,
    requests: UnboundedSender<Request>,
}

impl Drop for Present {
    fn drop(&mut self) {
        _ = self.requests.send(Request::Left(self.subscriber.clone()));
    }
}
