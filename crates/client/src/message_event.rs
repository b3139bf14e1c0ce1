//! The type of the events that a program receives ([WHATWG HTML,
//! 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#dispatchMessage)).
use crate::{Text, text::Page, unread::Unread};
use bytes::Bytes;
use fanfare_event_stream::{Data, EventRef};
use std::{fmt, sync::Arc};

const MESSAGE: Text = Text::from_static("message");
/// The number of event types that are remembered, so that events of these types share one text. If a stream alternates
/// between more types, a type is forgotten before it is used again, and each event gets its own copy of its type.
const KNOWN_TYPES: usize = 4;
const ID_PAGE_BYTES: usize = 4 << 10;
const DATA_PAGE_BYTES: usize = 64 << 10;

/// One event, with the properties of a browser's `MessageEvent`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageEvent {
    /// The event type; `message` if the server names none.
    pub event_type: Text,
    /// The data, its lines joined by LF.
    pub data: Text,
    /// The last event ID, this event included: its own ID, or else the last ID that was set before. Empty if there is
    /// none.
    pub last_event_id: Text,
    /// The origin that the event came from.
    pub origin: Origin,
    sets_id: SetsId,
    /// The reconnection time that the event itself sets, in milliseconds; [`NO_RETRY`] if it sets none.
    retry_ms: u64,
}

/// The value of `retry_ms` of an event that sets no reconnection time. An event that sets this time, which is about 600
/// million years, gets a time that is one millisecond shorter.
const NO_RETRY: u64 = u64::MAX;

/// Says if an event sets the last event ID. Each event is copied several times on its way to the program, and this type
/// makes the copies fast. It is a whole word with only two valid values. So the compiler uses the other values of the
/// word to tell the variants of `Poll`, `Option` and `Result` around the event apart, and copies all other fields in
/// pieces of the size in which they were written. If this field were a byte, or a word that is written in pieces of
/// another size, the processor would have to wait until the writes are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
enum SetsId {
    No,
    Yes,
}

impl MessageEvent {
    /// Returns true if this event itself set the last event ID.
    #[must_use]
    pub fn sets_id(&self) -> bool {
        self.sets_id == SetsId::Yes
    }

    /// Returns the reconnection time in milliseconds, if this event set one.
    #[must_use]
    pub fn retry_ms(&self) -> Option<u64> {
        (self.retry_ms != NO_RETRY).then_some(self.retry_ms)
    }

    /// Returns the ID that this event itself set, if any. An empty ID resets the last event ID.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.sets_id().then_some(&*self.last_event_id)
    }

    /// Appends the event to `out`, in the format of an event stream. These bytes mean the same to a client as the
    /// original bytes; only the order of the fields may differ. This is for programs that forward events.
    ///
    /// If the type or the ID contains CR or LF, or the ID contains NUL, everything from this character on is left out.
    /// An event that was received contains none of them.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let event = EventRef {
            event_type: &self.event_type,
            data: self.data.as_str(),
            last_event_id: &self.last_event_id,
            sets_id: self.sets_id(),
            retry_ms: self.retry_ms(),
        };
        event.encode_into(out);
    }

    /// Returns the bytes that [`encode_into`](Self::encode_into) appends.
    #[must_use]
    pub fn to_wire(&self) -> Bytes {
        let mut out = Vec::new();
        self.encode_into(&mut out);
        out.into()
    }

    /// Returns a copy of the event that shares no memory with a network buffer. This is useful for events that are kept
    /// for a long time: see [`Text`].
    #[must_use]
    pub fn detach(&self) -> Self {
        let texts = [&self.event_type, &self.data, &self.last_event_id].map(Text::detach);
        let [event_type, data, last_event_id] = texts;
        Self { event_type, data, last_event_id, ..self.clone() }
    }
}

/// The origin of an event: scheme, host and port of the URL that answered, after redirects
/// ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454#section-6.1)).
///
/// It is made once for each connection, and all events of the connection share it. Cloning it only increases a counter.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin(Arc<str>);

impl Origin {
    /// Returns the origin as browsers write it: `https://example.com`, with a port unless it is the default port of the
    /// scheme.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&url::Url> for Origin {
    fn from(url: &url::Url) -> Self {
        Self(url.origin().ascii_serialization().into())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// Makes the events of one connection, which share their origin, types and last event IDs.
#[derive(Debug)]
pub(crate) struct Arrivals {
    origin: Origin,
    last_event_id: Text,
    /// The memory that the IDs of successive events share.
    ids: Page,
    /// The memory for data that is not in one piece in a network buffer: data of several lines, or data that arrived in
    /// several chunks.
    data: Page,
    known_types: [Text; KNOWN_TYPES],
    /// The index in `known_types` of the oldest type, which the next unknown type replaces.
    oldest: usize,
}

impl Arrivals {
    pub(crate) fn new(origin: Origin, last_event_id: Text) -> Self {
        Self {
            origin,
            last_event_id,
            ids: Page::of(ID_PAGE_BYTES),
            data: Page::of(DATA_PAGE_BYTES),
            known_types: [const { MESSAGE }; KNOWN_TYPES],
            oldest: 0,
        }
    }

    /// Makes an event that owns its fields from `event`. Its data shares the memory of `unread` where possible.
    #[inline(always)] // Otherwise each caller copies the event once more, which costs more than to make it.
    pub(crate) fn own(&mut self, event: EventRef<'_, Data<'_>>, unread: &mut Unread) -> MessageEvent {
        let data = match event.data {
            Data::InChunk(range) => match unread.share(range.clone()) {
                Some(text) => text,
                None => self.data.keep(&unread.repaired(range)),
            },
            Data::Joined(text) => self.data.keep(text),
        };
        let origin = self.origin.clone();
        let id = event.last_event_id;
        // The last event ID is copied only if it has changed. It may have changed although this event sets no ID,
        // because a block that is not an event may have set it. Empty IDs are found by their length, because comparing
        // two empty texts takes as long as comparing two long ones.
        if event.sets_id || self.last_event_id.len() != id.len() || !id.is_empty() && self.last_event_id != id {
            self.last_event_id = self.ids.keep(id);
        }
        MessageEvent {
            event_type: self.event_type(event.event_type),
            data,
            last_event_id: self.last_event_id.clone(),
            origin,
            sets_id: if event.sets_id { SetsId::Yes } else { SetsId::No },
            retry_ms: event.retry_ms.map_or(NO_RETRY, |retry_ms| retry_ms.min(NO_RETRY - 1)),
        }
    }

    #[inline]
    fn event_type(&mut self, name: &str) -> Text {
        if name == "message" {
            return MESSAGE;
        }
        if let Some(known) = self.known_types.iter().find(|known| **known == name) {
            return known.clone();
        }
        let place = &mut self.known_types[self.oldest];
        self.oldest = (self.oldest + 1) % KNOWN_TYPES;
        *place = name.into();
        place.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Poll;

    #[test]
    fn what_an_event_sets_itself_is_kept() {
        for (retry_ms, kept) in
            [(None, None), (Some(0), Some(0)), (Some(5), Some(5)), (Some(u64::MAX), Some(u64::MAX - 1))]
        {
            for sets_id in [false, true] {
                let mut arrivals = Arrivals::new(Origin("http://h".into()), Text::default());
                let (data, last_event_id) = (Data::Joined("x"), "7");
                let event = EventRef { event_type: "message", data, last_event_id, sets_id, retry_ms };
                let event = arrivals.own(event, &mut Unread::default());
                assert_eq!((event.sets_id(), event.retry_ms()), (sets_id, kept), "{retry_ms:?}");
                assert_eq!(event.id(), sets_id.then_some("7"));
            }
        }
    }

    /// The size is limited, because each function that returns an event may copy it.
    #[test]
    fn an_event_is_no_larger_than_two_cache_lines() {
        assert!(size_of::<MessageEvent>() <= 128, "{}", size_of::<MessageEvent>());
        assert_eq!(size_of::<MessageEvent>(), size_of::<Poll<Option<Result<MessageEvent, crate::Error>>>>());
    }

    #[test]
    fn origins_are_shared_and_equal_by_name() {
        let origin = |url: &str| Origin::from(&url.parse::<url::Url>().unwrap());
        let (first, same) = (origin("https://example.com/a?b"), origin("https://example.com:443/"));
        assert_eq!((first.as_str(), &first), ("https://example.com", &same));
        assert_eq!(first.clone().as_str().as_ptr(), first.as_str().as_ptr());
        assert_ne!(first, origin("http://example.com"));
        assert_ne!(first, origin("https://example.com:8443"));
    }
}
