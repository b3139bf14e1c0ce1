//! The serialization of events with `serde`. The fields have the names of the properties in a browser.
use crate::{MessageEvent, Origin, Text};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Writes `type`, `data`, `lastEventId` and `origin`. If the event itself sets an ID or a reconnection time, also
/// writes `id` or `retry`.
impl Serialize for MessageEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = 4 + usize::from(self.sets_id()) + usize::from(self.retry_ms().is_some());
        let mut event = serializer.serialize_struct("MessageEvent", fields)?;
        event.serialize_field("type", &self.event_type)?;
        event.serialize_field("data", &self.data)?;
        event.serialize_field("lastEventId", &self.last_event_id)?;
        event.serialize_field("origin", &self.origin)?;
        match self.id() {
            Some(id) => event.serialize_field("id", id)?,
            None => event.skip_field("id")?,
        }
        match self.retry_ms() {
            Some(retry_ms) => event.serialize_field("retry", &retry_ms)?,
            None => event.skip_field("retry")?,
        }
        event.end()
    }
}
