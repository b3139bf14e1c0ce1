//! A subscriber as others see it, from its arrival to its end.
use super::teller::Request;
use crate::auth::Payloads;
use fanfare_hub::audience_key::AudienceKey;
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, mpsc::UnboundedSender};
use uuid::Uuid;

/// Somebody with a subscription for each matcher of its audience. About 60 bytes, and its payloads.
#[derive(Debug)]
pub(super) struct Subscriber {
    /// Chosen by the hub, by chance.
    pub(super) id: Uuid,
    /// Shared with the audience.
    pub(super) key: Arc<AudienceKey>,
    /// One for each matcher, in their order; `None` if none has any.
    payloads: Option<Box<[Option<Arc<Value>>]>>,
}

impl Subscriber {
    /// What each of its subscriptions shows.
    pub(super) fn payloads(key: &AudienceKey, payloads: &Payloads) -> Option<Box<[Option<Arc<Value>>]>> {
        let each = key.matchers.as_slice().iter().map(|matcher| payloads.of(matcher).cloned());
        Some(each.collect::<Box<[_]>>()).filter(|each| each.iter().any(Option::is_some))
    }

    /// The payload of its subscription by the matcher at this index.
    pub(super) fn payload(&self, index: usize) -> Option<&Value> {
        self.payloads.as_ref()?.get(index)?.as_deref()
    }

    #[cfg(test)]
    pub(super) fn of(id: Uuid, key: Arc<AudienceKey>, payload: Option<Value>) -> Arc<Self> {
        let payloads = payload.map(|payload| {
            let payload = Arc::new(payload);
            key.matchers.as_slice().iter().map(|_| Some(payload.clone())).collect()
        });
        Arc::new(Self { id, key, payloads })
    }
}

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
