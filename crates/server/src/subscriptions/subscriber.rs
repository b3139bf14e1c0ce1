//! A subscriber as other clients see it, from its arrival to its end.
use crate::auth::Payloads;
use fanfare_hub::audience_key::AudienceKey;
use serde_json::Value;
use std::sync::Arc;
use uuid::Uuid;

/// A subscriber. It has one subscription for each matcher of its audience. It takes about 60 bytes, and the memory of
/// its payloads.
#[derive(Debug)]
pub(super) struct Subscriber {
    /// The ID, which the hub chooses at random.
    pub(super) id: Uuid,
    /// The key of the subscriber's audience. The audience uses the same copy of the key.
    pub(super) key: Arc<AudienceKey>,
    /// The payload for each matcher, in the order of the matchers; `None` if no matcher has a payload.
    pub(super) payloads: Option<Box<[Option<Arc<Value>>]>>,
}

impl Subscriber {
    /// Returns the payload for each matcher of `key`; `None` if no matcher has a payload.
    pub(super) fn payloads(key: &AudienceKey, payloads: &Payloads) -> Option<Box<[Option<Arc<Value>>]>> {
        let each = key.matchers.as_slice().iter().map(|matcher| payloads.of(matcher).cloned());
        Some(each.collect::<Box<[_]>>()).filter(|each| each.iter().any(Option::is_some))
    }

    /// Returns the payload of the subscription with the matcher at `index`.
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
