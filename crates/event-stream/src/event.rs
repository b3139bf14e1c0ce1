//! One event, borrowed from the parser ([`EventRef`]) or owned ([`Event`]).
use crate::{EventId, EventType, Fields};
use alloc::{string::String, vec::Vec};

/// The type of an event whose block names none.
const MESSAGE: &str = "message";

/// An event as the [`Parser`](crate::Parser) gives it: borrowed from the chunk where the bytes allow, else from the parser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef<'a> {
    /// The event type; `message` if the block names none.
    pub event_type: &'a str,
    /// The data, its lines joined by LF.
    pub data: &'a str,
    /// The last event ID after this event: its own, or else one that an earlier block set. May be empty.
    pub last_event_id: &'a str,
    /// Whether this event's own block set the last event ID.
    pub sets_id: bool,
    /// The reconnection time in milliseconds, if this event's own block set one.
    pub retry_ms: Option<u64>,
}

impl<'a> EventRef<'a> {
    /// The ID that this event's own block gives, if it gives one.
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        self.sets_id.then_some(self.last_event_id)
    }

    /// Copies what the event's own block holds; no type is what stands for `message`.
    #[must_use]
    pub fn to_event(&self) -> Event {
        Event {
            event_type: (self.event_type != MESSAGE).then(|| EventType::from_parsed(self.event_type)),
            id: self.id().map(EventId::from_parsed),
            retry_ms: self.retry_ms,
            data: self.data.into(),
        }
    }
}

/// The event type for what an `event` field held: `message` for nothing.
#[inline]
pub(crate) fn event_type_or_default(field: &str) -> &str {
    if field.is_empty() { MESSAGE } else { field }
}

/// An event that owns its parts, to be kept or encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Event {
    /// The event type; `None` is `message`.
    pub event_type: Option<EventType>,
    /// The event's ID.
    pub id: Option<EventId>,
    /// The reconnection time in milliseconds.
    pub retry_ms: Option<u64>,
    /// The data.
    pub data: String,
}

impl Event {
    /// The event's fields, borrowed.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields { event_type: self.event_type.as_ref(), retry_ms: self.retry_ms, id: self.id.as_ref(), data: &self.data }
    }

    /// Appends the event, with the blank line that dispatches it, to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        self.fields().encode_into(out);
    }
}
