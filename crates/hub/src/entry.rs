//! An entry: an update with its position in the log.
use crate::{position::Position, update::Update};
use fanfare_event_stream::EventId;
use std::time::{SystemTime, UNIX_EPOCH};

/// A time, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Returns the current time; the Unix epoch if the clock is set to an earlier time.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// An update that the log holds, with its position and the time when it was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The position of the entry in the log.
    pub position: Position,
    /// The time when the update was appended.
    pub time: Timestamp,
    /// The update that was published.
    pub update: Update,
    id: EventId,
}

impl Entry {
    /// Makes an entry of `update` at `position`. The entry's ID is the ID that the publisher gave or, if there is none,
    /// the position.
    #[must_use]
    pub fn new(position: Position, time: Timestamp, update: Update) -> Self {
        let id = update
            .id()
            .cloned()
            .unwrap_or_else(|| EventId::new(position.to_string()).expect("a position is printable ASCII"));
        Self { position, time, update, id }
    }

    /// Returns the ID of the entry's event. A subscriber that sends it as its last event ID resumes after this entry.
    #[must_use]
    pub fn id(&self) -> &EventId {
        &self.id
    }
}
