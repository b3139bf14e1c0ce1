//! Updates: what publishers send. An [`Update`] that exists is valid: no later step checks its fields again.
use crate::{gap::Gap, topic::Topic};
use fanfare_event_stream::{EventId, EventType};
use std::fmt;

/// The greatest number of topics of one update: its canonical topic and its alternate topics together.
pub const MAX_TOPICS_PER_UPDATE: usize = 1_000;
/// The longest ID that a publisher may choose, in bytes. A subscriber sends the ID back in a request header, where
/// proxies allow 4 KiB or more.
pub const MAX_ID_BYTES: usize = 512;
/// The longest event type, in bytes.
pub const MAX_EVENT_TYPE_BYTES: usize = 256;
/// The longest reconnection time that a publisher may set for the subscribers, in milliseconds: one day. With a longer
/// time, a browser whose connection breaks would not come back.
pub const MAX_RETRY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The ID of the position before all entries of the log; no update may have this ID.
pub const EARLIEST: &str = "earliest";

/// The fields of an update as a publisher sent them, not yet checked.
#[derive(Clone, Debug, Default)]
pub struct UpdateFields {
    /// The topics: the canonical topic first, then alternate ones.
    pub topics: Vec<Topic>,
    /// The data, which may be empty.
    pub data: String,
    /// The ID that the publisher chose; if it is `None` or empty, the hub makes one.
    pub id: Option<String>,
    /// The event type; if it is `None` or empty, the type is `message`.
    pub event_type: Option<String>,
    /// The reconnection time that is sent to subscribers, in milliseconds, at most [`MAX_RETRY_MS`]; `None` sends none.
    pub retry_ms: Option<u64>,
    /// The time after which no reader gets the update any more, in milliseconds after it was appended; `None` sets no
    /// such time.
    pub ttl_ms: Option<u64>,
    /// True if only subscribers whose grant covers one of its topics may receive the update.
    pub private: bool,
}

/// One update, which is immutable and valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    topics: Box<[Topic]>,
    data: Box<str>,
    id: Option<EventId>,
    event_type: Option<EventType>,
    retry_ms: Option<u64>,
    ttl_ms: Option<u64>,
    private: bool,
}

/// The fields of an update that a log has stored.
pub(crate) struct Stored {
    pub(crate) topics: Box<[Topic]>,
    pub(crate) data: Box<str>,
    pub(crate) id: Option<EventId>,
    pub(crate) event_type: Option<EventType>,
    pub(crate) retry_ms: Option<u64>,
    pub(crate) ttl_ms: Option<u64>,
    pub(crate) private: bool,
}

/// The reason why the fields of an update are not valid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidUpdate {
    /// There is no topic.
    NoTopic,
    /// There are more than [`MAX_TOPICS_PER_UPDATE`] topics.
    TooManyTopics {
        /// The number of topics.
        count: usize,
        /// The largest number of topics that is allowed.
        limit: usize,
    },
    /// The ID is longer than [`MAX_ID_BYTES`].
    IdTooLong {
        /// The length of the ID in bytes.
        bytes: usize,
        /// The longest length that is allowed, in bytes.
        limit: usize,
    },
    /// The ID contains a control character or an invisible format character.
    IdCharacter(char),
    /// The ID begins or ends with white space. A header loses this white space, so no subscriber could resume after the
    /// update.
    IdSpace,
    /// The ID begins with `#`, which is reserved for IDs that the hub makes.
    IdReserved,
    /// The ID is `earliest`, which names the beginning of the log.
    IdEarliest,
    /// The event type is longer than [`MAX_EVENT_TYPE_BYTES`].
    EventTypeTooLong {
        /// The length of the event type in bytes.
        bytes: usize,
        /// The longest length that is allowed, in bytes.
        limit: usize,
    },
    /// The event type contains a control character or an invisible format character.
    EventTypeCharacter(char),
    /// The event type is reserved for the hub: it is `mercure`, or begins with `fanfare.`.
    EventTypeReserved,
    /// The event type is [`Gap::EVENT_TYPE`], and the data is not a JSON object with a field `reason` that is a
    /// non-empty text.
    GapData,
    /// The reconnection time is longer than [`MAX_RETRY_MS`].
    RetryTooLong {
        /// The longest time that is allowed, in milliseconds.
        limit: u64,
    },
}

impl Update {
    /// Checks `fields` and makes an update of them. If the event type is [`Gap::EVENT_TYPE`], the data must be a JSON
    /// object that has a `reason`. For this type, the ID and the reconnection time in `fields` are ignored, and the hub
    /// makes the ID of the update.
    ///
    /// # Errors
    /// [`InvalidUpdate`] with the field and the rule that it breaks.
    pub fn new(fields: UpdateFields) -> Result<Self, InvalidUpdate> {
        let count = fields.topics.len();
        if count == 0 {
            return Err(InvalidUpdate::NoTopic);
        }
        if count > MAX_TOPICS_PER_UPDATE {
            return Err(InvalidUpdate::TooManyTopics { count, limit: MAX_TOPICS_PER_UPDATE });
        }
        if fields.event_type.as_deref() == Some(Gap::EVENT_TYPE) {
            return told_gap(fields);
        }
        if fields.retry_ms.is_some_and(|retry_ms| retry_ms > MAX_RETRY_MS) {
            return Err(InvalidUpdate::RetryTooLong { limit: MAX_RETRY_MS });
        }
        Ok(Self {
            topics: fields.topics.into(),
            data: fields.data.into(),
            id: fields.id.filter(|id| !id.is_empty()).map(own_id).transpose()?,
            event_type: fields.event_type.filter(|name| !name.is_empty()).map(event_type).transpose()?,
            retry_ms: fields.retry_ms,
            ttl_ms: fields.ttl_ms,
            private: fields.private,
        })
    }

    /// Returns an update by which the hub reports a change of a resource. It is private, and may have a type that
    /// publishers may not use. Its ID is its position in the log: there are several updates about one resource, and if
    /// they shared an ID, a subscriber that sends this ID would resume after the first of them.
    #[must_use]
    pub fn of_hub(topic: Topic, data: String, event_type: Option<EventType>) -> Self {
        let topics = Box::new([topic]);
        Self { topics, data: data.into(), id: None, event_type, retry_ms: None, ttl_ms: None, private: true }
    }

    /// Returns an update by which a publisher, such as a relay, reports that it left updates out. The result is the
    /// same as that of [`Self::new`] for fields with the event type [`Gap::EVENT_TYPE`].
    ///
    /// # Errors
    /// [`InvalidUpdate`] if there are no topics, or too many, or if `data` gives no reason.
    pub fn gap(topics: Vec<Topic>, data: String, private: bool) -> Result<Self, InvalidUpdate> {
        let event_type = Some(Gap::EVENT_TYPE.to_owned());
        Self::new(UpdateFields { topics, data, event_type, private, ..UpdateFields::default() })
    }

    /// Makes an update from the fields that a log has stored. The fields are not checked again: an update that was once
    /// published stays valid. Only a reconnection time above [`MAX_RETRY_MS`], which earlier versions accepted, is cut
    /// to that time.
    pub(crate) fn restore(stored: Stored) -> Self {
        let Stored { topics, data, id, event_type, retry_ms, ttl_ms, private } = stored;
        let retry_ms = retry_ms.map(|retry_ms| retry_ms.min(MAX_RETRY_MS));
        Self { topics, data, id, event_type, retry_ms, ttl_ms, private }
    }

    /// Returns the topics: the canonical topic first, then alternate ones. There is at least one.
    #[must_use]
    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    /// The data, which may be empty.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The ID that the publisher chose; `None` if the hub makes the ID.
    #[must_use]
    pub fn id(&self) -> Option<&EventId> {
        self.id.as_ref()
    }

    /// The event type; `None` means the type `message`.
    #[must_use]
    pub fn event_type(&self) -> Option<&EventType> {
        self.event_type.as_ref()
    }

    /// The reconnection time that is sent to subscribers, in milliseconds; `None` sends none.
    #[must_use]
    pub fn retry_ms(&self) -> Option<u64> {
        self.retry_ms
    }

    /// The time after which no reader gets the update any more, in milliseconds after it was appended; `None` sets no
    /// such time.
    #[must_use]
    pub fn ttl_ms(&self) -> Option<u64> {
        self.ttl_ms
    }

    /// True if the update is a presence update: it tells of subscriptions, and of nothing else. Strangers cause such
    /// updates by subscribing, so the log keeps them apart from the updates of publishers.
    #[must_use]
    pub fn is_of_presence(&self) -> bool {
        self.topics.iter().all(Topic::is_of_presence)
    }

    /// True if only subscribers whose grant covers one of its topics may receive the update.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.private
    }
}

/// Makes an update that reports a gap. The hub makes the ID of this update, even if the gap had an ID in another hub.
fn told_gap(fields: UpdateFields) -> Result<Update, InvalidUpdate> {
    if !Gap::is_told_by(&fields.data) {
        return Err(InvalidUpdate::GapData);
    }
    Ok(Update {
        topics: fields.topics.into(),
        data: fields.data.into(),
        id: None,
        event_type: Some(EventType::new(Gap::EVENT_TYPE).expect("the event type holds no line end")),
        retry_ms: None,
        ttl_ms: fields.ttl_ms,
        private: fields.private,
    })
}

fn own_id(id: String) -> Result<EventId, InvalidUpdate> {
    if id.len() > MAX_ID_BYTES {
        return Err(InvalidUpdate::IdTooLong { bytes: id.len(), limit: MAX_ID_BYTES });
    }
    if id.starts_with('#') {
        return Err(InvalidUpdate::IdReserved);
    }
    if id == EARLIEST {
        return Err(InvalidUpdate::IdEarliest);
    }
    match crate::topic::forbidden_character(&id) {
        Some(character) => Err(InvalidUpdate::IdCharacter(character)),
        // RFC 9110, 5.5: a header value has no white space at its ends. Clients remove more kinds of white space than
        // the RFC names, so an ID may have no white space at its ends.
        None if id.trim() != id => Err(InvalidUpdate::IdSpace),
        None => Ok(EventId::new(id).expect("the ID holds no control character")),
    }
}

fn event_type(name: String) -> Result<EventType, InvalidUpdate> {
    if name.len() > MAX_EVENT_TYPE_BYTES {
        return Err(InvalidUpdate::EventTypeTooLong { bytes: name.len(), limit: MAX_EVENT_TYPE_BYTES });
    }
    if name == "mercure" || name.starts_with("fanfare.") {
        return Err(InvalidUpdate::EventTypeReserved);
    }
    match crate::topic::forbidden_character(&name) {
        Some(character) => Err(InvalidUpdate::EventTypeCharacter(character)),
        None => Ok(EventType::new(name).expect("the event type holds no control character")),
    }
}

impl fmt::Display for InvalidUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTopic => f.write_str("an update needs at least one topic"),
            Self::TooManyTopics { count, limit } => write!(f, "an update has {count} topics, {limit} are allowed"),
            Self::IdTooLong { bytes, limit } => write!(f, "the ID has {bytes} bytes, {limit} are allowed"),
            Self::IdCharacter(character) => write!(f, "the ID contains {character:?}, a control or format character"),
            Self::IdSpace => f.write_str(
                "the ID begins or ends with a space, which is lost when a subscriber sends the ID back in a header",
            ),
            Self::IdReserved => f.write_str("an ID cannot begin with '#': only the hub makes such IDs"),
            Self::IdEarliest => f.write_str("an ID cannot be 'earliest': this means the beginning of the log"),
            Self::EventTypeTooLong { bytes, limit } => {
                write!(f, "the event type has {bytes} bytes, {limit} are allowed")
            }
            Self::EventTypeCharacter(character) => {
                write!(f, "the event type contains {character:?}, a control or format character")
            }
            Self::GapData => f.write_str(
                "the event type 'fanfare.gap' is reserved for gaps: the data must be a JSON object with a string \
                 'reason' that is not empty",
            ),
            Self::RetryTooLong { limit } => {
                write!(f, "'retry' is too long: at most {limit} milliseconds, which is one day, are allowed")
            }
            Self::EventTypeReserved => f.write_str(
                "the event types 'mercure' and 'fanfare.…' are reserved for events that the hub itself sends",
            ),
        }
    }
}

impl std::error::Error for InvalidUpdate {}
