//! The request to erase entries from a log, and its result.
use crate::{
    entry::{Entry, Timestamp},
    topic::Topic,
};
use fanfare_event_stream::EventId;
use std::fmt;

/// The conditions for entries to be erased. An entry is erased if it meets all conditions; a condition that is `None`
/// holds for every entry.
#[derive(Clone, Copy)]
pub struct Erase<'a> {
    /// The topic that an entry must have to be erased; `None` for any topic.
    pub topic: Option<&'a Topic>,
    /// The ID that an entry must have to be erased: the publisher's ID, or the ID that the hub made for its position;
    /// `None` for any ID.
    pub id: Option<&'a EventId>,
    /// The time before which an entry must have been appended to be erased; `None` for any time.
    pub before: Option<Timestamp>,
    /// Returns true if an update with these topics may be erased. If it returns false, the update is kept, and is
    /// counted in [`Erased::kept`].
    pub may: &'a dyn Fn(&[Topic]) -> bool,
}

/// The result of an erasure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// The number of entries that were erased.
    pub erased: u64,
    /// The number of entries that met the conditions and were kept because [`Erase::may`] does not allow to erase them.
    pub kept: u64,
}

impl fmt::Debug for Erase<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { topic, id, before, .. } = self;
        f.debug_struct("Erase").field("topic", topic).field("id", id).field("before", before).finish_non_exhaustive()
    }
}

impl Erase<'_> {
    /// True if an entry meets the conditions of topic, ID and time. [`Erase::may`] is not called.
    pub(crate) fn fits(&self, entry: &Entry) -> bool {
        let has_topic = self.topic.is_none_or(|topic| entry.update.topics().contains(topic));
        let has_id = self.id.is_none_or(|id| entry.id() == id || entry.update.id() == Some(id));
        has_topic && has_id && self.before.is_none_or(|before| entry.time < before)
    }
}
