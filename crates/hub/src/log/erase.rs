//! The request to erase entries from a log, and its result.
use crate::{
    entry::{Entry, Timestamp},
    topic::Topic,
};
use fanfare_event_stream::EventId;
use std::fmt;

/// The entries to erase: those that meet every condition that is given.
#[derive(Clone, Copy)]
pub struct Erase<'a> {
    /// The topic that an entry must have.
    pub topic: Option<&'a Topic>,
    /// The ID that the publisher gave to the entry, or the ID that the hub made for its position.
    pub id: Option<&'a EventId>,
    /// The time before which an entry must have been appended.
    pub before: Option<Timestamp>,
    /// Returns true if an update with these topics may be erased. If not, the update is kept, and counted.
    pub may: &'a dyn Fn(&[Topic]) -> bool,
}

/// The result of an erasure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// The number of entries that were erased.
    pub erased: u64,
    /// The number of entries that met the conditions and were kept because they may not be erased.
    pub kept: u64,
}

impl fmt::Debug for Erase<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, id, before, .. } = self;
        f.debug_struct("Erase").field("topic", topic).field("id", id).field("before", before).finish_non_exhaustive()
    }
}

impl Erase<'_> {
    /// True if an entry meets every condition. It does not check whether the entry may be erased.
    pub(crate) fn fits(&self, entry: &Entry) -> bool {
        let has_topic = self.topic.is_none_or(|topic| entry.update.topics().contains(topic));
        let has_id = self.id.is_none_or(|id| entry.id() == id || entry.update.id() == Some(id));
        has_topic && has_id && self.before.is_none_or(|before| entry.time < before)
    }
}
