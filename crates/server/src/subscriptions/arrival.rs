//! The arrival of a subscriber, and its end.
use super::{request::Request, subscriber::Subscriber};
use fanfare_hub::audience_key::AudienceKey;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc::UnboundedSender};
use uuid::Uuid;

/// A subscriber whose stream may begin, and whose subscriptions are not published yet.
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

    /// Notes that the subscriber has joined the audience with this key, for which it was taken in. A client that hears
    /// of the subscriber may publish an update, and the subscriber will receive this update. This waits for nothing and
    /// takes no lock.
    pub(crate) fn begin(self, key: &Arc<AudienceKey>) -> Present {
        let Self { payloads, room, requests } = self;
        let subscriber = Arc::new(Subscriber { id: Uuid::new_v4(), key: key.clone(), payloads });
        // The teller returns the permit when it has published the end.
        room.forget();
        // Sending fails only if the teller has ended with its log.
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
