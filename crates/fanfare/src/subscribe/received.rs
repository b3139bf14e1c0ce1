//! An event as it is printed, whatever way it came.
use fanfare_client::MessageEvent;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The type of the event with which a hub tells that updates are missing.
pub(super) const GAP: &str = "fanfare.gap";

/// One event; its JSON is that of the hub's own JSON lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Received {
    /// The event's ID; for an event without one, the last event ID.
    pub id: String,
    /// Its topics, if a hub names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<String>>,
    /// The event type; `message` if it has no other.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The data.
    pub data: String,
    /// True if it was private, if a hub says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// The time at which it was published, if a hub says so, or else that at which it arrived: milliseconds since the
    /// Unix epoch.
    pub time_ms: i64,
    /// The place that it came from, if there is more than one.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

impl Received {
    /// Takes an event out of its envelope if it is in one.
    pub(super) fn new(event: &MessageEvent, enveloped: bool) -> Self {
        // A gap is told in no envelope, and a proxy may add events of its own.
        let unwrapped = enveloped.then(|| serde_json::from_str(&event.data).ok()).flatten();
        unwrapped.unwrap_or_else(|| Self {
            id: event.last_event_id.to_string(),
            event_type: event.event_type.to_string(),
            data: event.data.to_string(),
            time_ms: Timestamp::now().as_millisecond(),
            ..Self::default()
        })
    }
}
