//! One event, borrowed from the parser ([`EventRef`]) or owned ([`Event`]).
use crate::{
    EventId, EventType, Fields,
    encode::{encode_data, encode_head},
};
use alloc::{string::String, vec::Vec};
use core::ops::Range;

/// The type of an event whose block names none.
const MESSAGE: &str = "message";

/// An event as the [`Parser`](crate::Parser) gives it: borrowed from the chunk where the bytes allow, else from the
/// parser. `D` is how its data is given: as text, or in its place as [`Data`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef<'a, D = &'a str> {
    /// The event type; `message` if the block names none.
    pub event_type: &'a str,
    /// The data, its lines joined by LF.
    pub data: D,
    /// The last event ID after this event: its own, or else one that an earlier block set. May be empty.
    pub last_event_id: &'a str,
    /// True if this event's own block set the last event ID.
    pub sets_id: bool,
    /// The reconnection time in milliseconds, if this event's own block set one.
    pub retry_ms: Option<u64>,
}

/// The place of an event's data, as [`Parser::next_event_in_place`](crate::Parser::next_event_in_place) gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// The data is one line, whole in the chunk: at this range of its bytes, as they came. They may not be UTF-8: the
    /// program puts U+FFFD for what is not.
    InChunk(Range<usize>),
    /// The data has several lines, or was cut: the parser has joined it.
    Joined(&'a str),
}

impl<'a> EventRef<'a> {
    /// The ID that this event's own block gives, if it gives one.
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        self.sets_id.then_some(self.last_event_id)
    }

    /// Appends the event to `out`, as it came but for the order of its fields: what a parser makes of it is the same.
    ///
    /// An event that a parser gave can always be written. Of a type or ID that the program has set, what follows a line
    /// end is left out.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let event_type = Some(self.event_type).filter(|name| *name != MESSAGE);
        encode_head(event_type, self.retry_ms, self.id(), out);
        encode_data(self.data, out);
    }

    /// Copies what the event's own block holds; the type `message` becomes none.
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

/// A block without data, as the [`Parser`](crate::Parser) gives it if that is wanted. It is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRef<'a> {
    /// The event type that it names, if it names one.
    pub event_type: Option<&'a str>,
    /// The ID that it sets, if it sets one: the last event ID from here on.
    pub id: Option<&'a str>,
    /// The reconnection time in milliseconds, if it sets one.
    pub retry_ms: Option<u64>,
}

impl BlockRef<'_> {
    /// Appends the block to `out`, as it came but for the order of its fields. See [`EventRef::encode_into`].
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        encode_head(self.event_type, self.retry_ms, self.id, out);
        out.push(b'\n');
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
