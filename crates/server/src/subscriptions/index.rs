//! The index of the active subscriptions: the subscribers whose arrival is in the log, and whose end is not.
use super::{pending::Change, subscriber::Subscriber};
use fanfare_hub::position::Offset;
use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};
use uuid::Uuid;

/// The subscribers whose arrival was published and whose end was not.
#[derive(Debug, Default)]
pub(super) struct Index {
    subscribers: BTreeMap<Uuid, Arc<Subscriber>>,
    /// The number of batches of changes that were applied to the index.
    version: u64,
    /// While a batch of changes is on its way into the log: the offset of the newest event before the batch. `None` at
    /// other times.
    telling_behind: Option<Offset>,
}

/// The result of reading the index, with the cursor and the version of the index at the time of reading.
#[derive(Debug)]
pub(super) struct Reading<T> {
    pub(super) found: T,
    /// The cursor: a client that subscribes with this event ID gets all changes that the index did not have when it was
    /// read.
    pub(super) cursor: String,
    /// The name of this version of the index. It is different after each batch of changes.
    pub(super) version: String,
}

impl Index {
    /// Notes that a batch of changes is about to be appended to the log, somewhere after the offset `head`: other
    /// updates may be appended before the batch.
    pub(super) fn begin(&mut self, head: Offset) {
        self.telling_behind = Some(head);
    }

    /// Notes that the batch is in the log, and applies the changes of the batch to the index.
    pub(super) fn settle(&mut self, changes: &[Change]) {
        for Change { subscriber, active } in changes {
            if *active {
                self.subscribers.insert(subscriber.id, subscriber.clone());
            } else {
                self.subscribers.remove(&subscriber.id);
            }
        }
        self.version += 1;
        self.telling_behind = None;
    }

    /// Returns an offset while a batch of changes is being appended to the log: the index has all changes up to this
    /// offset, but may lack later ones. Returns `None` if no batch is being appended: the index then has all changes
    /// that are in the log.
    pub(super) fn told_up_to(&self) -> Option<Offset> {
        self.telling_behind
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&Arc<Subscriber>> {
        self.subscribers.get(&id)
    }

    /// Returns the subscribers whose ID is greater than `id`, or all subscribers if `id` is `None`, in the order of
    /// their IDs.
    pub(super) fn behind(&self, id: Option<Uuid>) -> impl Iterator<Item = &Arc<Subscriber>> {
        self.subscribers.range((id.map_or(Unbounded, Excluded), Unbounded)).map(|(_, subscriber)| subscriber)
    }
}
