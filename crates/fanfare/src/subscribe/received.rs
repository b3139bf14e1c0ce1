//! An event as it is printed, whatever way it came.
use fanfare_event_stream::EventRef;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The type of the event with which a hub tells that updates are missing.
pub(super) const GAP: &str = "fanfare.gap";

/// One event; its JSON is that of the hub's own JSON lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether it was private, if a hub says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
    /// When it was published, if a hub says so, or else when it arrived: milliseconds since the Unix epoch.
    pub time_ms: i64,
}

impl Received {
    /// Takes an event out of its envelope if it is in one.
    pub(super) fn new(event: &EventRef<'_>, enveloped: bool) -> Self {
        // A gap is told in no envelope, and a proxy may add events of its own.
        let unwrapped = enveloped.then(|| serde_json::from_str(event.data).ok()).flatten();
        unwrapped.unwrap_or_else(|| Self {
            id: event.last_event_id.to_owned(),
            topics: None,
            event_type: event.event_type.to_owned(),
            data: event.data.to_owned(),
            private: None,
            time_ms: Timestamp::now().as_millisecond(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event<'a>(event_type: &'a str, data: &'a str) -> EventRef<'a> {
        EventRef { event_type, data, last_event_id: "7", sets_id: true, retry_ms: None }
    }

    #[test]
    fn an_envelope_is_opened_and_is_its_own_json() {
        let json = r#"{"id":"7","topics":["a","b"],"type":"news","data":"{}","private":false,"time_ms":99}"#;
        let received = Received::new(&event("message", json), true);
        assert_eq!(serde_json::to_string(&received).unwrap(), json);
        assert_eq!((received.event_type.as_str(), received.data.as_str()), ("news", "{}"));
    }

    #[test]
    fn an_event_that_is_no_envelope_stays_what_it_is() {
        let gap = Received::new(&event(GAP, r#"{"requested":"3"}"#), true);
        assert_eq!((gap.event_type.as_str(), gap.topics, gap.id.as_str()), (GAP, None, "7"));
        let json = r#"{"id":"x","topics":[],"type":"y","data":"","private":true,"time_ms":0}"#;
        assert_eq!(Received::new(&event("message", json), false).data, json);
    }
}
