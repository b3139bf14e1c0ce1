//! A page of a collection: as many subscriptions as one answer holds, and where the next page begins.
use super::{
    document::{Shape, Subscription, match_type},
    index::Index,
    subscriber::Subscriber,
};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;
use uuid::Uuid;

/// A page ends with the subscriber that brings it to this many subscriptions.
pub const PAGE_SUBSCRIPTIONS: usize = 5_000;
/// A page ends with the subscriber that brings it to this many bytes.
pub const PAGE_BYTES: usize = 4 << 20;

/// The subscriptions that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// All.
    All,
    /// Subscriptions by matchers of this text; of this type as well, if it is said.
    Matcher { match_type: Option<String>, text: String },
}

impl Selection {
    /// The subscriptions of a subscriber that are meant, by the places of their matchers.
    pub(super) fn of<'a>(&'a self, subscriber: &'a Subscriber) -> impl Iterator<Item = usize> + 'a {
        let matchers = subscriber.key.matchers.as_slice().iter().enumerate();
        let meant = matchers.filter(move |(_, matcher)| match self {
            Self::All => true,
            Self::Matcher { match_type: None, text } => matcher.as_str() == text,
            Self::Matcher { match_type: Some(kind), text } => match_type(matcher) == kind && matcher.as_str() == text,
        });
        meant.map(|(index, _)| index)
    }
}

/// The subscriptions of a page, as JSON.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) subscriptions: Vec<Box<RawValue>>,
    /// The last subscriber of it, if more may follow.
    pub(super) next: Option<Uuid>,
}

/// The subscribers behind `start` of whom something is meant, one more than a page can hold at most.
pub(super) fn candidates(index: &Index, selection: &Selection, start: Option<Uuid>) -> Vec<Arc<Subscriber>> {
    let meant = index.behind(start).filter(|subscriber| selection.of(subscriber).next().is_some());
    meant.take(PAGE_SUBSCRIPTIONS + 1).cloned().collect()
}

impl Page {
    /// Returns as many of the candidates as a page holds.
    pub(super) fn of(shape: Shape, candidates: &[Arc<Subscriber>], selection: &Selection) -> Self {
        let (mut subscriptions, mut bytes) = (Vec::new(), 0);
        for (place, subscriber) in candidates.iter().enumerate() {
            for index in selection.of(subscriber).filter(|index| shape.tells(&subscriber.key.matchers, *index)) {
                let document = Subscription::new(shape, subscriber, index, true).within();
                let document = to_raw_value(&document).expect("strings and JSON make JSON");
                bytes += document.get().len();
                subscriptions.push(document);
            }
            let is_full = subscriptions.len() >= PAGE_SUBSCRIPTIONS || bytes >= PAGE_BYTES;
            if is_full && place + 1 < candidates.len() {
                return Self { subscriptions, next: Some(subscriber.id) };
            }
        }
        Self { subscriptions, next: None }
    }
}
