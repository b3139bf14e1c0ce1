//! Events of the upstream as updates of the hub. Where no update can be made of an event, one that tells of the gap
//! takes its place: those downstream have no other way to know.
use fanfare_client::{MessageEvent, Text};
use fanfare_event_stream::EventId;
use fanfare_hub::{
    ending::Ending,
    gap::Gap,
    topic::Topic,
    update::{InvalidUpdate, Update, UpdateFields},
};
use serde::Serialize;
use std::fmt;

/// The most events that a relay publishes together.
pub(super) const MAX_BATCH_EVENTS: usize = 256;
/// The most bytes of data, IDs and types that a relay publishes together, unless one event alone has more.
pub(super) const MAX_BATCH_BYTES: usize = 1 << 20;

/// The bytes of an event's field names and line ends, as long as its data is one line.
const FIELD_NAMES_BYTES: usize = 24;

/// The fields that are the same for all updates of a relay.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// The topics, of which there is at least one.
    pub topics: Vec<Topic>,
    /// True if they are private.
    pub private: bool,
    /// The most data that the hub takes, if that is known.
    pub max_data_bytes: usize,
}

/// An event on its way.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) update: Update,
    /// True if the upstream gave it an ID, be it one that the hub cannot keep.
    pub(super) sets_id: bool,
    /// True if it tells of a gap in place of an event.
    pub(super) is_gap: bool,
    /// The ID that the event had, where it is not the update's: no update can have it, the hub has refused it, or this
    /// tells of a gap.
    pub(super) told_id: Option<String>,
}

/// The result of a look at an event.
#[derive(Debug)]
pub(super) enum Made {
    /// This update, and perhaps a reason for which the hub gives it another ID.
    Update(Item, Option<InvalidUpdate>),
    /// This update, which tells of a gap: no other can be made of the event.
    Gap(Item, Unfit),
    /// Nothing. It is about the connection between the relay and its upstream.
    Nothing,
}

/// The data of an update that tells of an event that was left out.
#[derive(Serialize)]
struct LeftOut<'a> {
    reason: &'a str,
    /// The ID that the event had upstream, exactly; empty if it had none, or the hub has refused it here as well.
    last_event_id: &'a str,
    detail: &'a str,
}

/// The reason why no update can be made of an event.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It has more data than the hub takes.
    TooLarge { bytes: usize, limit: usize },
    /// Its type is one that no update may have.
    Invalid(InvalidUpdate),
}

/// An event up to which all was dealt with once its batch is published.
#[derive(Debug)]
pub(super) enum LastEvent {
    Read(MessageEvent),
    /// The event was too large to be read. This is the last event ID behind it.
    Skipped(Text),
}

impl LastEvent {
    /// Returns the last event ID behind the event.
    pub(super) fn id(&self) -> &Text {
        match self {
            Self::Read(event) => &event.last_event_id,
            Self::Skipped(id) => id,
        }
    }
}

/// Events that came together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    /// The last event that belongs to it, be it an unfit one or one that was skipped.
    pub(super) last: Option<LastEvent>,
    bytes: usize,
}

impl Template {
    /// Makes an update of `event`. The reconnection time is between the relay and its upstream.
    pub(super) fn make(&self, event: &MessageEvent) -> Made {
        let id = event.id().filter(|id| !id.is_empty());
        match event.event_type.as_str() {
            // A hub says why it ends the connection.
            Ending::EVENT_TYPE => return Made::Nothing,
            // A hub, or another relay before this one, says that something is missing.
            Gap::EVENT_TYPE if event.data.len() <= self.max_data_bytes => {
                let told = gap(&self.topics, self.private, event.data.as_str().to_owned(), id.is_some());
                // What tells of a gap in other words than a hub does is a gap nevertheless.
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

    /// Makes what tells of an event that was too large to be read, behind which `id` is the last event ID.
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
            // Better without its ID than not at all. If something else is wrong with it, that is wrong then, too.
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
    /// Returns what to publish in place of an update that the hub refuses for `reason`: the same without its ID, if it
    /// may be that; else what tells of the gap; else, if that is too large, the same without the ID of the event.
    /// `None` if the hub takes nothing of it.
    pub(super) fn in_place_of(self, reason: &str, may_be_id: bool) -> Option<Self> {
        let update = &self.update;
        if self.is_gap {
            // What is not refused for its size is not so because of the ID.
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

    /// Returns about as many bytes as it has in an event stream, never none.
    pub(super) fn size(&self) -> usize {
        let Self { update, .. } = self;
        let event_type = update.event_type().map_or(0, |name| name.as_str().len());
        update.data().len() + update.id().map_or(0, |id| id.as_str().len()) + event_type + FIELD_NAMES_BYTES
    }

    /// Returns the ID that the event has upstream, as far as it is known.
    pub(super) fn upstream_id(&self) -> &str {
        let own = self.update.id().map(EventId::as_str);
        own.or(self.told_id.as_deref()).unwrap_or_default()
    }
}

/// The detail of a gap that was told upstream without a reason that can be read.
const UNCLEAR_GAP: &str = "the upstream told of a gap and gave no reason";

/// Makes an update that tells of an event that was left out.
fn left_out(topics: &[Topic], private: bool, id: &str, detail: &str) -> Option<Item> {
    let said = LeftOut { reason: "left-out", last_event_id: id, detail };
    let item = gap(topics, private, serde_json::to_string(&said).ok()?, !id.is_empty())?;
    Some(Item { told_id: Some(id.to_owned()).filter(|id| !id.is_empty()), ..item })
}

/// An update that tells of a gap. There is one for any topics that there can be updates for.
fn gap(topics: &[Topic], is_private: bool, data: String, sets_id: bool) -> Option<Item> {
    let update = Update::gap(topics.to_vec(), data, is_private).ok()?;
    Some(Item { update, sets_id, is_gap: true, told_id: None })
}

impl Batch {
    /// True if there is room for `event`, as there always is in an empty one.
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

    /// Adds what tells of an event that was skipped.
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
            Self::TooLarge { bytes, limit } => write!(f, "its data has {bytes} bytes, {limit} are allowed"),
            Self::Invalid(reason) => reason.fmt(f),
        }
    }
}
