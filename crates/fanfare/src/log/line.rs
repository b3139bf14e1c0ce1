//! An update as one line of JSON: the fields of the hub's own JSON lines, and further fields that a log needs.
use fanfare_event_stream::EventType;
use fanfare_hub::{
    entry::{Entry, Timestamp},
    position::Offset,
    topic::Topic,
};
use serde::{Deserialize, Serialize};

/// The event type of the updates by which a hub announces subscriptions.
pub(super) const OF_SUBSCRIPTION: &str = "mercure";

/// The fields of the JSON line for one update.
#[derive(Debug, Serialize)]
pub(super) struct UpdateLine<'a> {
    id: &'a str,
    topics: Vec<&'a str>,
    r#type: &'a str,
    data: &'a str,
    private: bool,
    time_ms: u64,
    /// The time of the update in the format of RFC 3339; `None` if it is after the year 9999.
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    position: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl_ms: Option<u64>,
}

/// The JSON line that is printed in place of updates that are lost.
#[derive(Debug, Serialize)]
pub(super) struct LostLine {
    lost: Stretch,
}

/// A range of offsets, from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Stretch {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl<'a> UpdateLine<'a> {
    pub(super) fn of(entry: &'a Entry) -> Self {
        let update = &entry.update;
        Self {
            id: entry.id().as_str(),
            topics: update.topics().iter().map(Topic::as_str).collect(),
            r#type: update.event_type().map_or("message", EventType::as_str),
            data: update.data(),
            private: update.is_private(),
            time_ms: entry.time.0,
            time: rfc_3339(entry.time),
            position: entry.position.to_string(),
            retry_ms: update.retry_ms(),
            ttl_ms: update.ttl_ms(),
        }
    }
}

impl LostLine {
    pub(super) fn of(first: Offset, last: Offset) -> Self {
        Self { lost: Stretch { first: first.0, last: last.0 } }
    }
}

/// Returns the time in the format of RFC 3339, with milliseconds; `None` if it is after the year 9999.
pub(super) fn rfc_3339(time: Timestamp) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(i64::try_from(time.0).ok()?).ok()?;
    Some(format!("{time:.3}"))
}
