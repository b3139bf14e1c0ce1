//! The types of events: [`EventRef`] borrows its fields from the parser and the chunk, and [`Event`] owns its fields.
use crate::{
    EventId, EventType, Fields,
    encode::{encode_data, encode_head},
};
use alloc::{string::String, vec::Vec};
use core::ops::Range;

/// The type of an event whose block has no `event` field.
const MESSAGE: &str = "message";

/// An event as the [`Parser`](crate::Parser) returns it. Its data is borrowed from the chunk. If the data has several
/// lines, is divided between chunks, or is not valid UTF-8, it is borrowed from the parser instead. All other fields
/// are borrowed from the parser. `D` is the type of the data: text, or [`Data`], which says where the data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRef<'a, D = &'a str> {
    /// The event type; `message` if the block has no `event` field.
    pub event_type: &'a str,
    /// The data. Its lines are joined by LF.
    pub data: D,
    /// The last event ID, this event included: the ID that its block set, or else the ID that an earlier block set. It
    /// may be empty.
    pub last_event_id: &'a str,
    /// True if the block of this event set the last event ID.
    pub sets_id: bool,
    /// The reconnection time in milliseconds, if the block of this event set one.
    pub retry_ms: Option<u64>,
}

/// The data of an event, as [`Parser::next_event_in_place`](crate::Parser::next_event_in_place) returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// The data is one line that is completely in the chunk, at this range of the chunk's bytes. These bytes were not
    /// checked: where they are not UTF-8, the program should replace them by U+FFFD.
    InChunk(Range<usize>),
    /// The data has several lines, or was divided between chunks: the parser has joined it.
    Joined(&'a str),
}

impl<'a> EventRef<'a> {
    /// The ID that the block of this event sets, if it sets one.
    #[must_use]
    pub fn id(&self) -> Option<&'a str> {
        self.sets_id.then_some(self.last_event_id)
    }

    /// Appends the event to `out`, in the format of an event stream. A parser that reads these bytes returns an equal
    /// event. Only the order of the fields may differ from the original bytes.
    ///
    /// If the type or the ID contains CR or LF, or the ID contains NUL, everything from this character on is left out.
    /// An event that a parser returned contains none of them.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let event_type = Some(self.event_type).filter(|name| *name != MESSAGE);
        encode_head(event_type, self.retry_ms, self.id(), out);
        encode_data(self.data, out);
    }

    /// Returns a copy that owns its fields. It contains the data, and the type, ID and reconnection time that the block
    /// of this event set. For the type `message`, [`Event::event_type`] is `None`.
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

/// A block without data, which is not an event. The [`Parser`](crate::Parser) returns it if
/// [`Parser::with_blocks`](crate::Parser::with_blocks) was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRef<'a> {
    /// The event type that the block sets, if it sets one.
    pub event_type: Option<&'a str>,
    /// The ID that the block sets, if it sets one. From this block on, it is the last event ID.
    pub id: Option<&'a str>,
    /// The reconnection time in milliseconds, if the block sets one.
    pub retry_ms: Option<u64>,
}

impl BlockRef<'_> {
    /// Appends the block to `out`, in the format of an event stream. Only the order of the fields may differ from the
    /// original bytes. See [`EventRef::encode_into`].
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        encode_head(self.event_type, self.retry_ms, self.id, out);
        out.push(b'\n');
    }
}

/// Returns the event type for `field`, the value of an `event` field: `message` if `field` is empty, and `field`
/// otherwise.
#[inline]
pub(crate) fn event_type_or_default(field: &str) -> &str {
    if field.is_empty() { MESSAGE } else { field }
}

/// An event that owns its fields, so a program can keep it while the parser reads on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Event {
    /// The event type; `None` means the type `message`.
    pub event_type: Option<EventType>,
    /// The ID that the event sets; `None` if it sets none.
    pub id: Option<EventId>,
    /// The reconnection time that the event sets, in milliseconds; `None` if it sets none.
    pub retry_ms: Option<u64>,
    /// The data of the event, which may have several lines.
    pub data: String,
}

impl Event {
    /// Borrows the fields of the event.
    #[must_use]
    pub fn fields(&self) -> Fields<'_> {
        Fields { event_type: self.event_type.as_ref(), retry_ms: self.retry_ms, id: self.id.as_ref(), data: &self.data }
    }

    /// Appends the event to `out`, with the blank line that ends it.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        self.fields().encode_into(out);
    }
}
