//! A page of a collection: the subscriptions of one answer, and the start of the next page.
use super::{
    document::{Shape, Subscription, match_type},
    index::Index,
    subscriber::Subscriber,
};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;
use uuid::Uuid;

/// The number of subscriptions at which a page ends. A page always has all selected subscriptions of its last
/// subscriber, so it may have a few more.
pub const PAGE_SUBSCRIPTIONS: usize = 5_000;
/// The number of bytes at which a page ends. A page always has all selected subscriptions of its last subscriber, so it
/// may have a few more.
pub const PAGE_BYTES: usize = 4 << 20;

/// The subscriptions that a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Selection {
    /// All subscriptions.
    All,
    /// The subscriptions whose matcher has this text, and this type if one is given.
    Matcher { match_type: Option<String>, text: String },
}

impl Selection {
    /// Returns the subscriptions of a subscriber that are selected. Each is given by the index of its matcher.
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

/// The subscriptions on one page, as JSON.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) subscriptions: Vec<Box<RawValue>>,
    /// The last subscriber of the page, after which the next page starts. `None` if this is the last page.
    pub(super) next: Option<Uuid>,
}

/// Returns the subscribers after `start` that have a selected subscription. They are at most one more than a page can
/// hold: the additional one shows that there is a next page.
pub(super) fn candidates(index: &Index, selection: &Selection, start: Option<Uuid>) -> Vec<Arc<Subscriber>> {
    let meant = index.behind(start).filter(|subscriber| selection.of(subscriber).next().is_some());
    meant.take(PAGE_SUBSCRIPTIONS + 1).cloned().collect()
}

impl Page {
    /// Makes a page from the first candidates, with as many of them as the page can hold.
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
