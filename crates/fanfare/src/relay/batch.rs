//! Events of the upstream as updates of the hub.
use fanfare_client::MessageEvent;
use fanfare_hub::{
    topic::Topic,
    update::{InvalidUpdate, Update, UpdateFields},
};
use std::fmt;

/// The most events that are published together.
pub(super) const MAX_BATCH_EVENTS: usize = 256;
/// The most bytes of data, IDs and types that are published together, unless one event alone has more.
pub(super) const MAX_BATCH_BYTES: usize = 1 << 20;

/// What is the same for all updates of a relay.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// At least one.
    pub topics: Vec<Topic>,
    /// Whether they are private.
    pub private: bool,
    /// The most data that the hub takes, if that is known.
    pub max_data_bytes: usize,
}

/// An event on its way.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) update: Update,
    /// Whether the upstream gave it an ID, be it one that the hub cannot keep.
    pub(super) sets_id: bool,
}

/// Why no update can be made of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It has more data than the hub takes.
    TooLarge { bytes: usize, limit: usize },
    /// Its type is one that no update may have.
    Invalid(InvalidUpdate),
}

/// Events that came together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    /// The last event that belongs to it, be it an unfit one.
    pub(super) last: Option<MessageEvent>,
    bytes: usize,
}

impl Template {
    /// Makes an update of `event`, and says why its ID is not kept, if it is not. The reconnection time is between the relay
    /// and its upstream.
    pub(super) fn item(&self, event: &MessageEvent) -> Result<(Item, Option<InvalidUpdate>), Unfit> {
        let (bytes, limit) = (event.data.len(), self.max_data_bytes);
        if bytes > limit {
            return Err(Unfit::TooLarge { bytes, limit });
        }
        let id = event.id().filter(|id| !id.is_empty());
        let (update, replaced) = match self.update(event, id) {
            Ok(update) => (update, None),
            Err(
                reason @ (InvalidUpdate::IdTooLong { .. }
                | InvalidUpdate::IdCharacter(_)
                | InvalidUpdate::IdSpace
                | InvalidUpdate::IdReserved
                | InvalidUpdate::IdEarliest),
            ) => (self.update(event, None).map_err(Unfit::Invalid)?, Some(reason)),
            Err(reason) => return Err(Unfit::Invalid(reason)),
        };
        Ok((Item { update, sets_id: id.is_some() }, replaced))
    }

    fn update(&self, event: &MessageEvent, id: Option<&str>) -> Result<Update, InvalidUpdate> {
        Update::new(UpdateFields {
            topics: self.topics.clone(),
            data: event.data.as_str().to_owned(),
            id: id.map(str::to_owned),
            event_type: Some(event.event_type.as_str()).filter(|name| *name != "message").map(str::to_owned),
            retry_ms: None,
            private: self.private,
        })
    }
}

impl Batch {
    /// Whether there is room for `event`. There always is in an empty one.
    pub(super) fn has_room_for(&self, event: &MessageEvent) -> bool {
        self.last.is_none() || (self.items.len() < MAX_BATCH_EVENTS && self.bytes + size(event) <= MAX_BATCH_BYTES)
    }

    pub(super) fn push(&mut self, event: MessageEvent, item: Option<Item>) {
        self.bytes += size(&event);
        self.items.extend(item);
        self.last = Some(event);
    }
}

fn size(event: &MessageEvent) -> usize {
    event.data.len() + event.last_event_id.len() + event.event_type.len()
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => write!(f, "its data has {bytes} bytes, {limit} are allowed"),
            Self::Invalid(reason) => reason.fmt(f),
        }
    }
}
