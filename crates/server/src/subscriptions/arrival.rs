//! The arrival of a subscriber, and the end of its presence.
use super::{request::Request, subscriber::Subscriber};
use fanfare_hub::audience_key::AudienceKey;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc::UnboundedSender};
use uuid::Uuid;

/// A subscriber that has a permit: its stream may begin, but has not begun, and its subscriptions are not published
/// yet.
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

    /// Notes that the subscriber has joined the audience with this key. Because it has joined, it receives each update
    /// that a client publishes after hearing of the subscriber. This call does not wait and takes no lock.
    pub(crate) fn begin(self, key: &Arc<AudienceKey>) -> Present {
        let Self { payloads, room, requests } = self;
        let subscriber = Arc::new(Subscriber { id: Uuid::new_v4(), key: key.clone(), payloads });
        // The permit now belongs to the teller, which returns it when it has published the end of the subscriptions.
        room.forget();
        // Sending fails only if the teller has ended because the log is closed.
        _ = requests.send(Request::Came(subscriber.clone()));
        Present { subscriber, requests }
    }
}

/// A subscriber whose stream has begun. Dropping this value ends its subscriptions.
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
