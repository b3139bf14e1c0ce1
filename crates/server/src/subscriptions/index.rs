//! The index of the active subscriptions that were published: the subscribers that have come and not left, according to
//! the log.
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
    /// The number of batches of changes so far.
    version: u64,
    /// The log's head before a batch, while that batch is on its way into the log; `None` at other times.
    telling_behind: Option<Offset>,
}

/// The result of reading the index, and the state of the index at that time.
#[derive(Debug)]
pub(super) struct Reading<T> {
    pub(super) found: T,
    /// The ID after which all later changes follow.
    pub(super) cursor: String,
    /// The name of the state. It changes with each batch of changes.
    pub(super) version: String,
}

impl Index {
    /// Notes that a batch will be appended after `head`, perhaps not directly after it.
    pub(super) fn begin(&mut self, head: Offset) {
        self.telling_behind = Some(head);
    }

    /// Notes that the batch is in the log, and applies its changes.
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

    /// Returns the offset up to which the index has all changes that are in the log; `None` if that is the log's head.
    pub(super) fn told_up_to(&self) -> Option<Offset> {
        self.telling_behind
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&Arc<Subscriber>> {
        self.subscribers.get(&id)
    }

    /// Returns the subscribers after this one, or all if it is `None`, in the order of their identifiers.
    pub(super) fn behind(&self, id: Option<Uuid>) -> impl Iterator<Item = &Arc<Subscriber>> {
        self.subscribers.range((id.map_or(Unbounded, Excluded), Unbounded)).map(|(_, subscriber)| subscriber)
    }
}
