//! What arrives ([WHATWG HTML, 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#dispatchMessage)).
use crate::{Text, text::Page};
use bytestring::ByteString;
use fanfare_event_stream::EventRef;
use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

const MESSAGE: Text = Text::from_static("message");
/// How many event types a stream uses in turn before they are copied anew for each event.
const KNOWN_TYPES: usize = 4;
const ID_PAGE_BYTES: usize = 4 << 10;
const DATA_PAGE_BYTES: usize = 64 << 10;

/// One event, as a browser's `MessageEvent` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageEvent {
    /// The event type; `message` if the server names none.
    pub event_type: Text,
    /// The data, its lines joined by LF.
    pub data: Text,
    /// The last event ID after this event: its own, or else one that an earlier event set. Empty if there is none.
    pub last_event_id: Text,
    /// Where it came from.
    pub origin: Origin,
    /// Whether this event set the last event ID itself.
    pub sets_id: bool,
    /// The reconnection time in milliseconds, if this event set one.
    pub retry_ms: Option<u64>,
}

impl MessageEvent {
    /// The ID that this event itself has, if it has one. An empty ID resets the last event ID.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.sets_id.then_some(&*self.last_event_id)
    }

    /// The same event in memory of its own. Worth it for events that are kept for long: see [`Text`].
    #[must_use]
    pub fn detach(&self) -> Self {
        let texts = [&self.event_type, &self.data, &self.last_event_id].map(Text::detach);
        let [event_type, data, last_event_id] = texts;
        Self { event_type, data, last_event_id, ..self.clone() }
    }
}

/// The origin of an event: scheme, host and port of the URL that answered, after redirects
/// ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454#section-6.1)).
#[derive(Clone)]
pub struct Origin(Name);

/// A program has few servers, and each event of theirs an origin: the first [`Origin::MAX_KNOWN`] are kept for good, so that an
/// event does not pay for counting.
#[derive(Clone)]
enum Name {
    Known(&'static str),
    Other(Arc<str>),
}

static KNOWN: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());

impl Origin {
    const MAX_KNOWN: usize = 64;
    const MAX_KNOWN_BYTES: usize = 300;

    /// The origin as browsers write it: `https://example.com`, with a port unless it is the scheme's own.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Known(name) => name,
            Name::Other(name) => name,
        }
    }

    fn named(name: String) -> Self {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.iter().find(|known| **known == name) {
            return Self(Name::Known(known));
        }
        if known.len() == Self::MAX_KNOWN || name.len() > Self::MAX_KNOWN_BYTES {
            return Self(Name::Other(name.into()));
        }
        let name: &'static str = name.leak();
        known.push(name);
        Self(Name::Known(name))
    }
}

impl From<&url::Url> for Origin {
    fn from(url: &url::Url) -> Self {
        Self::named(url.origin().ascii_serialization())
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Origin {}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
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

/// Makes the events of one connection, sharing what they have in common.
#[derive(Debug)]
pub(crate) struct Arrivals {
    origin: Origin,
    last_event_id: Text,
    /// Where IDs are kept: nearly each event may have one.
    ids: Page,
    /// Where data is kept that is not whole in a buffer of the network's: of several lines, or cut.
    data: Page,
    known_types: [Text; KNOWN_TYPES],
    /// Which of them is forgotten next.
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

    /// Owns `event`, whose data may be a piece of `buffer`.
    #[inline]
    pub(crate) fn own(&mut self, event: &EventRef<'_>, buffer: &ByteString) -> MessageEvent {
        let id = event.last_event_id;
        // A comparison of nothing with nothing takes as long as one of much: where there are no IDs, none is made.
        if self.last_event_id.len() != id.len() || !id.is_empty() && self.last_event_id != id {
            self.last_event_id = self.ids.keep(id);
        }
        MessageEvent {
            event_type: self.event_type(event.event_type),
            data: Text::piece_of(buffer, event.data).unwrap_or_else(|| self.data.keep(event.data)),
            last_event_id: self.last_event_id.clone(),
            origin: self.origin.clone(),
            sets_id: event.sets_id,
            retry_ms: event.retry_ms,
        }
    }

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

    #[test]
    fn origins_are_equal_by_name_whether_known_or_not() {
        let named = |number: usize| Origin::named(format!("http://h{number}"));
        let origins: Vec<Origin> = (0..2 * Origin::MAX_KNOWN).map(named).collect();
        let known = |origin: &Origin| matches!(origin.0, Name::Known(_));
        assert!(origins.iter().filter(|origin| known(origin)).count() <= Origin::MAX_KNOWN);
        assert!(origins.iter().enumerate().all(|(number, origin)| *origin == named(number)));
        assert_ne!(named(0), named(1));
        assert!(!known(&Origin::named("x".repeat(Origin::MAX_KNOWN_BYTES + 1))));
    }
}
