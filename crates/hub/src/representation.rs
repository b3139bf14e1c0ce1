//! The representation of updates: the formats in which a subscriber can receive them.
use crate::framing::Framing;

/// The format in which a subscriber receives updates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Representation {
    /// An event stream in which each update is an event with the type of the update.
    #[default]
    EventStream,
    /// An event stream of events without a type. The data of each event is an update as JSON, with its topics and time.
    /// It is meant for subscribers to many topics, or to event types that they do not know in advance. Only those
    /// topics are listed that the subscriber asked for or is granted.
    Envelope,
    /// The same JSON as in [`Self::Envelope`], one object per line.
    JsonLines,
}

impl Representation {
    /// True if a stream in this format begins with a start event, which tells the subscriber its place.
    #[must_use]
    pub fn has_start_events(self) -> bool {
        match self {
            Self::EventStream | Self::Envelope => true,
            Self::JsonLines => false,
        }
    }

    /// The heartbeat of an idle connection: bytes that a subscriber ignores. In an event stream it is a comment. No
    /// blank line follows the comment, because some clients take a blank line for the end of an event.
    #[must_use]
    pub fn heartbeat(self) -> &'static [u8] {
        match self {
            Self::EventStream | Self::Envelope => b":\n",
            Self::JsonLines => b"\n",
        }
    }

    /// The heartbeat in this framing.
    #[must_use]
    pub fn heartbeat_in(self, framing: Framing) -> &'static [u8] {
        match (framing, self) {
            (Framing::Plain, _) => self.heartbeat(),
            (Framing::Chunked, Self::EventStream | Self::Envelope) => b"2\r\n:\n\r\n",
            (Framing::Chunked, Self::JsonLines) => b"1\r\n\n\r\n",
        }
    }
}
