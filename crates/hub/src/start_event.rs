//! A start event: tells a subscriber its place in the log apart from any update. It is the first event of an event
//! stream, so that a subscriber whose connection breaks before the first update resumes without a loss. A stream that
//! gets no updates for long is sent a further one as a heartbeat, before its place becomes too old to resume from.
//!
//! The event has a type of its own, so that an application that listens only to its own types does not get it. A block
//! with an ID alone would not do: some clients pass it to the application as an empty event, others ignore its ID.
use serde::Serialize;

/// A start event as it is sent to a subscriber: as the data of an event of type [`StartEvent::EVENT_TYPE`] whose ID is
/// `place`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StartEvent {
    /// The ID of the position that the subscriber has reached: `#<epoch>-<offset>`. A subscriber that sends it as its
    /// last event ID gets everything that it has not got yet.
    pub place: String,
}

impl StartEvent {
    /// The type of the event that carries a place.
    pub const EVENT_TYPE: &str = "fanfare.start";
}
