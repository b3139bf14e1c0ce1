//! An event in the form in which it is printed, whether it arrived in an envelope or not.
use fanfare_client::MessageEvent;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The type of the event by which a hub reports that updates are missing.
pub(super) const GAP: &str = "fanfare.gap";

/// One event. Its JSON has the form of the hub's own JSON lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Received {
    /// The ID of the event. For an event without an ID, it is the last event ID before this event.
    pub id: String,
    /// The topics of the event, if a hub names them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topics: Option<Vec<String>>,
    /// The type of the event; `message` if the event has no type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The data of the event.
    pub data: String,
    /// True if the event was private; `None` if this is not known, because the event is not from a hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// The time at which the event was published, if a hub says so, or else the time at which it arrived, in
    /// milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// The origin of the stream that the event came from, if there are several streams.
    #[serde(skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

impl Received {
    /// Takes an event out of its envelope if it is in one.
    pub(super) fn new(event: &MessageEvent, enveloped: bool) -> Self {
        // Gap events, and events that a proxy adds, have no envelope. Their fields are used unchanged.
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
