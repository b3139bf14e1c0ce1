//! A page of a collection: the subscriptions of one answer, and the start of the next page.
use super::{
    document::{Shape, Subscription, match_type},
    index::Index,
    subscriber::Subscriber,
};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;
use uuid::Uuid;

/// The number of subscriptions at which a page ends. It always ends after the last subscription of a subscriber.
pub const PAGE_SUBSCRIPTIONS: usize = 5_000;
/// The number of bytes at which a page ends. It always ends after the last subscription of a subscriber.
pub const PAGE_BYTES: usize = 4 << 20;

/// The subscriptions that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// All subscriptions.
    All,
    /// The subscriptions with matchers of this text, and of this type if a type is given.
    Matcher { match_type: Option<String>, text: String },
}

impl Selection {
    /// Returns the selected subscriptions of a subscriber, by the indexes of their matchers.
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
    /// The last subscriber of the page, if more subscribers may follow; `None` on the last page.
    pub(super) next: Option<Uuid>,
}

/// Returns the subscribers after `start` that have a selected subscription, at most one more than a page can hold.
pub(super) fn candidates(index: &Index, selection: &Selection, start: Option<Uuid>) -> Vec<Arc<Subscriber>> {
    let meant = index.behind(start).filter(|subscriber| selection.of(subscriber).next().is_some());
    meant.take(PAGE_SUBSCRIPTIONS + 1).cloned().collect()
}

impl Page {
    /// Makes a page of as many candidates as it can hold.
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
