//! The index of what was told: the subscribers who are there, by what the log has of them.
use super::{pending::Change, subscriber::Subscriber};
use fanfare_hub::position::Offset;
use std::{
    collections::BTreeMap,
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};
use uuid::Uuid;

/// The subscribers of whom it was told that they came, and not that they left.
#[derive(Debug, Default)]
pub(super) struct Index {
    subscribers: BTreeMap<Uuid, Arc<Subscriber>>,
    /// Counts the batches of changes.
    version: u64,
    /// Set while a batch is on its way to the log: the log's head before it.
    telling_behind: Option<Offset>,
}

/// The subscriptions that were found, and the state in which they were.
#[derive(Debug)]
pub(super) struct Reading<T> {
    pub(super) found: T,
    /// The ID behind which everything that has changed since follows.
    pub(super) cursor: String,
    /// Names the state. It is another one for each batch of changes.
    pub(super) version: String,
}

impl Index {
    /// A batch is about to be appended behind `head`, or somewhere later.
    pub(super) fn begin(&mut self, head: Offset) {
        self.telling_behind = Some(head);
    }

    /// The batch is in the log.
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

    /// Up to where the log tells nothing that the index does not have; `None` is its head.
    pub(super) fn told_up_to(&self) -> Option<Offset> {
        self.telling_behind
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&Arc<Subscriber>> {
        self.subscribers.get(&id)
    }

    /// The subscribers behind this one, in the order of their identifiers.
    pub(super) fn behind(&self, id: Option<Uuid>) -> impl Iterator<Item = &Arc<Subscriber>> {
        self.subscribers.range((id.map_or(Unbounded, Excluded), Unbounded)).map(|(_, subscriber)| subscriber)
    }
}
