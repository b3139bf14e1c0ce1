//! Makes updates for the hub from events of the upstream. If an event cannot become an update, a gap event takes its
//! place, because the hub's subscribers have no other way to know that an event is missing.
use fanfare_client::{MessageEvent, Text};
use fanfare_event_stream::EventId;
use fanfare_hub::{
    gap::Gap,
    notice,
    topic::Topic,
    update::{InvalidUpdate, Update, UpdateFields},
};
use serde::Serialize;
use std::fmt;

/// The greatest number of events that a relay publishes together.
pub(super) const MAX_BATCH_EVENTS: usize = 256;
/// The greatest number of bytes of data, IDs and types that a relay publishes together, unless one event alone has
/// more.
pub(super) const MAX_BATCH_BYTES: usize = 1 << 20;

/// The number of bytes of an event's field names and line ends, if its data is one line.
const FIELD_NAMES_BYTES: usize = 24;

/// The fields that are the same for all updates of a relay.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// The topics of each update, at least one.
    pub topics: Vec<Topic>,
    /// True if the updates are private.
    pub private: bool,
    /// The greatest number of bytes of an update's data that the hub accepts. For a hub over HTTP, whose limit is not
    /// known, it is the greatest limit that a hub can be configured with.
    pub max_data_bytes: usize,
}

/// An update that was made from an event, and is not yet published.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) update: Update,
    /// True if the upstream gave the event an ID, even one that the hub cannot keep.
    pub(super) sets_id: bool,
    /// True if the update is a gap event that takes the place of the upstream's event.
    pub(super) is_gap: bool,
    /// The ID that the upstream gave the event, if the update does not have this ID: because no update can have it,
    /// because the hub has refused it, or because the update is a gap event.
    pub(super) told_id: Option<String>,
}

/// The result of making an update from an event.
#[derive(Debug)]
pub(super) enum Made {
    /// An update. If no update can have the ID of the event, the second value says why; then the hub gives the update
    /// another ID.
    Update(Item, Option<InvalidUpdate>),
    /// A gap event, and the reason why the event cannot become an update.
    Gap(Item, Unfit),
    /// Nothing, because the event is about the connection between the relay and its upstream.
    Nothing,
}

/// The data of a gap event for an event that was left out.
#[derive(Serialize)]
struct LeftOut<'a> {
    reason: &'a str,
    /// The exact ID that the event had upstream; empty if it had none, or if the hub has also refused a gap event that
    /// contains the ID.
    last_event_id: &'a str,
    detail: &'a str,
}

/// The reason why an event cannot become an update.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The event has more data than the hub accepts.
    TooLarge { bytes: usize, limit: usize },
    /// The fields of the event do not make a valid update.
    Invalid(InvalidUpdate),
}

/// The last event of a batch. It is acknowledged when the batch is published.
#[derive(Debug)]
pub(super) enum LastEvent {
    Read(MessageEvent),
    /// The event was too large to be read. The value is the last event ID, this event included.
    Skipped(Text),
}

impl LastEvent {
    /// Returns the last event ID, this event included.
    pub(super) fn id(&self) -> &Text {
        match self {
            Self::Read(event) => &event.last_event_id,
            Self::Skipped(id) => id,
        }
    }
}

/// Events that are published together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    /// The last event of the batch, even if no update was made from it or it was too large to be read.
    pub(super) last: Option<LastEvent>,
    bytes: usize,
}

impl Template {
    /// Makes an update from `event`, without its reconnection time, which concerns only the relay and its upstream.
    pub(super) fn make(&self, event: &MessageEvent) -> Made {
        let id = event.id().filter(|id| !id.is_empty());
        match event.event_type.as_str() {
            // With these events, an upstream that is a hub tells where the stream begins, and why it ends.
            event_type if notice::is_about_the_connection(event_type) => return Made::Nothing,
            // With this event, an upstream that is a hub or a relay says that events are missing.
            Gap::EVENT_TYPE if event.data.len() <= self.max_data_bytes => {
                let told = gap(&self.topics, self.private, event.data.as_str().to_owned(), id.is_some());
                // The data may not have the form that a hub uses for gap events. Events are missing all the same, so
                // the relay then makes a gap event with data of its own.
                let other = || left_out(&self.topics, self.private, id.unwrap_or_default(), UNCLEAR_GAP);
                let item = told.or_else(other);
                return item.map_or(Made::Nothing, |item| Made::Update(item, None));
            }
            _ => {}
        }
        let unfit = match self.item(event, id) {
            Ok((item, replaced)) => return Made::Update(item, replaced),
            Err(unfit) => unfit,
        };
        let item = left_out(&self.topics, self.private, id.unwrap_or_default(), &unfit.to_string());
        item.map_or(Made::Nothing, |item| Made::Gap(item, unfit))
    }

    /// Makes a gap event for an event that was too large to be read. `id` is the ID of that event, or empty.
    pub(super) fn skipped(&self, id: &str, reason: &str) -> Option<Item> {
        left_out(&self.topics, self.private, id, reason)
    }

    fn item(&self, event: &MessageEvent, id: Option<&str>) -> Result<(Item, Option<InvalidUpdate>), Unfit> {
        let (bytes, limit) = (event.data.len(), self.max_data_bytes);
        if bytes > limit {
            return Err(Unfit::TooLarge { bytes, limit });
        }
        let (update, replaced) = match (self.update(event, id), id) {
            (Ok(update), _) => (update, None),
            // It is better to publish the event without its ID than not at all. If the ID is not the only fault of the
            // event, the update without the ID fails too.
            (Err(reason), Some(_)) => (self.update(event, None).map_err(Unfit::Invalid)?, Some(reason)),
            (Err(reason), None) => return Err(Unfit::Invalid(reason)),
        };
        let told_id = id.filter(|_| replaced.is_some()).map(str::to_owned);
        Ok((Item { update, sets_id: id.is_some(), is_gap: false, told_id }, replaced))
    }

    fn update(&self, event: &MessageEvent, id: Option<&str>) -> Result<Update, InvalidUpdate> {
        Update::new(UpdateFields {
            topics: self.topics.clone(),
            data: event.data.as_str().to_owned(),
            id: id.map(str::to_owned),
            event_type: Some(event.event_type.as_str()).filter(|name| *name != "message").map(str::to_owned),
            retry_ms: None,
            ttl_ms: None,
            private: self.private,
        })
    }
}

impl Item {
    /// Returns the item to publish in place of this item, which the hub has refused for `reason`. If the ID may be the
    /// reason, the new item is the same update without its ID; otherwise it is a gap event. If this item is itself a
    /// gap event that is too large, the new item is a gap event that does not contain the ID of the upstream's event.
    /// Returns `None` if there is nothing left to try.
    pub(super) fn in_place_of(self, reason: &str, may_be_id: bool) -> Option<Self> {
        let update = &self.update;
        if self.is_gap {
            // Leaving out the ID makes a gap event smaller. So it helps only if the gap event was refused for its size.
            let told_id = self.told_id.filter(|_| !may_be_id);
            let item = told_id.and_then(|_| left_out(update.topics(), update.is_private(), "", reason))?;
            return Some(Self { sets_id: self.sets_id, ..item });
        }
        let Some(id) = update.id().filter(|_| may_be_id) else {
            let item = left_out(update.topics(), update.is_private(), self.upstream_id(), reason)?;
            return Some(Self { sets_id: self.sets_id, ..item });
        };
        let told_id = Some(id.to_string());
        let update = Update::new(UpdateFields {
            topics: update.topics().to_vec(),
            data: update.data().to_owned(),
            id: None,
            event_type: update.event_type().map(|name| name.as_str().to_owned()),
            retry_ms: None,
            ttl_ms: update.ttl_ms(),
            private: update.is_private(),
        });
        Some(Self { update: update.ok()?, told_id, ..self })
    }

    /// Returns the approximate number of bytes of the update in an event stream. The number is never 0.
    pub(super) fn size(&self) -> usize {
        let Self { update, .. } = self;
        let event_type = update.event_type().map_or(0, |name| name.as_str().len());
        update.data().len() + update.id().map_or(0, |id| id.as_str().len()) + event_type + FIELD_NAMES_BYTES
    }

    /// Returns the ID that the upstream gave the event, or an empty text if the ID is not known.
    pub(super) fn upstream_id(&self) -> &str {
        let own = self.update.id().map(EventId::as_str);
        own.or(self.told_id.as_deref()).unwrap_or_default()
    }
}

/// The text in the field `detail` of a gap event, if the upstream reported a gap without a reason that the relay
/// understands.
const UNCLEAR_GAP: &str = "the upstream reported a gap without a reason";

/// Makes a gap event for an event that was left out.
fn left_out(topics: &[Topic], private: bool, id: &str, detail: &str) -> Option<Item> {
    let said = LeftOut { reason: "left-out", last_event_id: id, detail };
    let item = gap(topics, private, serde_json::to_string(&said).ok()?, !id.is_empty())?;
    Some(Item { told_id: Some(id.to_owned()).filter(|id| !id.is_empty()), ..item })
}

/// Makes a gap event with this data. Returns `None` if the data gives no reason for the gap.
fn gap(topics: &[Topic], is_private: bool, data: String, sets_id: bool) -> Option<Item> {
    let update = Update::gap(topics.to_vec(), data, is_private).ok()?;
    Some(Item { update, sets_id, is_gap: true, told_id: None })
}

impl Batch {
    /// Returns true if the batch has room for `event`. An empty batch has room for any event.
    pub(super) fn has_room_for(&self, event: &MessageEvent) -> bool {
        self.last.is_none() || (self.items.len() < MAX_BATCH_EVENTS && self.bytes + size(event) <= MAX_BATCH_BYTES)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.last.is_none() && self.items.is_empty()
    }

    pub(super) fn push(&mut self, event: MessageEvent, item: Option<Item>) {
        self.bytes += size(&event);
        self.items.extend(item);
        self.last = Some(LastEvent::Read(event));
    }

    /// Adds an event that was too large to be read, with the gap event that takes its place. `id` is the last event ID,
    /// this event included.
    pub(super) fn push_skipped(&mut self, id: Text, item: Option<Item>) {
        self.items.extend(item);
        self.last = Some(LastEvent::Skipped(id));
    }
}

fn size(event: &MessageEvent) -> usize {
    event.data.len() + event.last_event_id.len() + event.event_type.len()
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, limit } => {
                write!(f, "the data of the event has {bytes} bytes, and {limit} are allowed")
            }
            Self::Invalid(reason) => reason.fmt(f),
        }
    }
}
