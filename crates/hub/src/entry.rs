//! An update with its place in the log.
use crate::{position::Position, update::Update};
use fanfare_event_stream::EventId;
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch, by the hub's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The time now; the Unix epoch if the clock is set before it.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// An update that the log holds: what was published, where it stands, and when it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The entry's place.
    pub position: Position,
    /// The time when the log took it.
    pub time: Timestamp,
    /// The update that was published.
    pub update: Update,
    id: EventId,
}

impl Entry {
    /// Puts `update` at `position`. Its ID is the publisher's own, or else the position; also if it is an old update
    /// that tells of a subscription, which several of them have one ID for.
    #[must_use]
    pub fn new(position: Position, time: Timestamp, update: Update) -> Self {
        let id = update
            .id()
            .filter(|_| !update.is_named_after_its_subscription())
            .cloned()
            .unwrap_or_else(|| EventId::new(position.to_string()).expect("a position is printable ASCII"));
        Self { position, time, update, id }
    }

    /// The ID that subscribers see and resume with.
    #[must_use]
    pub fn id(&self) -> &EventId {
        &self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        position::{Epoch, Offset},
        topic::Topic,
        update::Stored,
    };

    /// "came" and "went" of one subscription: a subscriber that resumes behind the second must not get the first again.
    #[test]
    fn old_updates_of_a_subscription_have_their_places_as_ids() {
        let subscription = "/.well-known/mercure/subscriptions/a/urn:uuid:1";
        let cases = [
            (subscription, subscription, true, "#00000000-7"),
            (subscription, "mine", true, "mine"),
            (subscription, subscription, false, subscription),
            ("/books/1", "/books/1", true, "/books/1"),
        ];
        for (topic, id, private, expected) in cases {
            let topics = Box::new([Topic::new(topic).unwrap()]);
            let (data, id_given) = ("".into(), EventId::new(id).ok());
            let update = Update::restore(Stored {
                topics,
                data,
                id: id_given,
                event_type: None,
                retry_ms: None,
                ttl_ms: None,
                private,
            });
            let position = Position { epoch: Epoch::from_bits(0), offset: Offset(7) };
            let entry = Entry::new(position, Timestamp(1), update);
            assert_eq!(entry.id().as_str(), expected, "{topic} {id}");
            assert_eq!(entry.update.id().unwrap().as_str(), id, "the log's index of IDs is as it was");
        }
    }
}
