//! The entries that are to be erased from a log.
use crate::{
    entry::{Entry, Timestamp},
    topic::Topic,
};
use fanfare_event_stream::EventId;
use std::fmt;

/// The entries to erase: those that fit all that is given.
#[derive(Clone, Copy)]
pub struct Erase<'a> {
    /// The topic that they have.
    pub topic: Option<&'a Topic>,
    /// The ID that their publisher gave them, or the hub's ID of their place.
    pub id: Option<&'a EventId>,
    /// The time before which they were appended.
    pub before: Option<Timestamp>,
    /// Says of the topics of an update whether the update may be erased. It is kept and counted if not.
    pub may: &'a dyn Fn(&[Topic]) -> bool,
}

/// The outcome: how many entries were erased, and how many kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// The number of entries that are erased.
    pub erased: u64,
    /// The number of entries that fitted and were kept.
    pub kept: u64,
}

impl fmt::Debug for Erase<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, id, before, .. } = self;
        f.debug_struct("Erase").field("topic", topic).field("id", id).field("before", before).finish_non_exhaustive()
    }
}

impl Erase<'_> {
    /// True if an entry fits all that is given, whether it may be erased or not.
    pub(crate) fn fits(&self, entry: &Entry) -> bool {
        let has_topic = self.topic.is_none_or(|topic| entry.update.topics().contains(topic));
        let has_id = self.id.is_none_or(|id| entry.id() == id || entry.update.id() == Some(id));
        has_topic && has_id && self.before.is_none_or(|before| entry.time < before)
    }
}
