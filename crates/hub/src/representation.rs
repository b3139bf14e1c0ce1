//! The representation of updates: the forms in which a subscriber can have them.

/// The way in which a subscriber wants its updates written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Representation {
    /// An event stream in which each update is an event of its own type.
    #[default]
    EventStream,
    /// An event stream of unnamed events whose data is the update as JSON, with its topics and time: for those who
    /// subscribe to many topics or to event types that they do not know beforehand. Of the topics it names those that
    /// the subscriber asked for or is granted.
    Envelope,
    /// The same JSON, one object a line.
    JsonLines,
}

impl Representation {
    /// The heartbeat of an idle connection: bytes that a subscriber ignores. A comment has no blank line after it,
    /// since some clients take that for the end of an event.
    #[must_use]
    pub fn heartbeat(self) -> &'static [u8] {
        match self {
            Self::EventStream | Self::Envelope => b":\n",
            Self::JsonLines => b"\n",
        }
    }
}
