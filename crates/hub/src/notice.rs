//! Notices: the events that a hub itself puts into a stream. A gap event reports missing updates, which also concerns
//! everybody who reads the updates later. The others are only about the connection between the hub and one subscriber.
use crate::{ending::Ending, start_event::StartEvent};

/// True if an event of this type is only about the connection on which it arrived. Whoever publishes the events of a
/// stream again, such as a relay, leaves these events out.
#[must_use]
pub fn is_about_the_connection(event_type: &str) -> bool {
    matches!(event_type, StartEvent::EVENT_TYPE | Ending::EVENT_TYPE)
}
