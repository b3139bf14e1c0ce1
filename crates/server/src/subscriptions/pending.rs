//! The queue of changes that are not published yet, in the order in which they happened. A subscriber that leaves
//! before its arrival was published is not published at all.
use super::subscriber::Subscriber;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tokio::sync::oneshot;
use uuid::Uuid;

#[derive(Debug, Default)]
pub(super) struct Pending {
    items: BTreeMap<u64, Item>,
    /// The subscribers whose arrival is in the queue: maps each subscriber's ID to the key of its arrival in `items`.
    came: HashMap<Uuid, u64>,
    next: u64,
    questions: usize,
}

/// An entry of the queue: a change to publish, or a client that waits for an answer.
#[derive(Debug)]
pub(super) enum Item {
    Change(Change),
    /// A client that waits until all changes before it in the queue are published.
    Question(oneshot::Sender<()>),
}

/// The arrival or the end of a subscriber.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) subscriber: Arc<Subscriber>,
    pub(super) active: bool,
}

impl Pending {
    /// Returns true if a client in the queue waits for an answer.
    pub(super) fn is_asked(&self) -> bool {
        self.questions > 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds the arrival of a subscriber.
    pub(super) fn came(&mut self, subscriber: Arc<Subscriber>) {
        self.came.insert(subscriber.id, self.next);
        self.push(Item::Change(Change { subscriber, active: true }));
    }

    /// Adds the end of a subscriber. Returns true if the subscriber's arrival was still in the queue. In this case the
    /// arrival is removed from the queue, the end is not added, and the subscriber is never published.
    pub(super) fn left(&mut self, subscriber: Arc<Subscriber>) -> bool {
        let untold = self.came.remove(&subscriber.id);
        match untold {
            Some(place) => drop(self.items.remove(&place)),
            None => self.push(Item::Change(Change { subscriber, active: false })),
        }
        untold.is_some()
    }

    pub(super) fn question(&mut self, answer: oneshot::Sender<()>) {
        self.questions += 1;
        self.push(Item::Question(answer));
    }

    fn push(&mut self, item: Item) {
        self.items.insert(self.next, item);
        self.next += 1;
    }

    /// Removes the first entries from the queue and returns them: at most `most` changes, and the waiting clients among
    /// and directly after these changes.
    pub(super) fn take(&mut self, most: usize) -> (Vec<Change>, Vec<oneshot::Sender<()>>) {
        let (mut changes, mut answers) = (Vec::new(), Vec::new());
        while let Some(first) = self.items.first_entry() {
            if changes.len() == most && matches!(first.get(), Item::Change(_)) {
                break;
            }
            match first.remove() {
                Item::Change(change) => {
                    self.came.remove(&change.subscriber.id);
                    changes.push(change);
                }
                Item::Question(answer) => answers.push(answer),
            }
        }
        self.questions -= answers.len();
        // When the queue is empty, the memory that many changes at once needed is freed.
        if self.items.is_empty() {
            self.came = HashMap::new();
        }
        (changes, answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanfare_hub::{audience_key::AudienceKey, grant::Matchers, representation::Representation};

    fn subscriber(number: u128) -> Arc<Subscriber> {
        let key = AudienceKey::new(Matchers::any(), Matchers::default(), Representation::EventStream);
        Subscriber::of(Uuid::from_u128(number), key.into(), None)
    }

    fn told(changes: &[Change]) -> Vec<(u128, bool)> {
        changes.iter().map(|change| (change.subscriber.id.as_u128(), change.active)).collect()
    }

    #[test]
    fn changes_come_in_order_and_those_that_meet_do_not_come() {
        let mut pending = Pending::default();
        for number in 1..=3 {
            pending.came(subscriber(number));
        }
        assert!(pending.left(subscriber(2)), "its arrival was not published");
        assert!(!pending.left(subscriber(9)), "its arrival was published before");
        let (changes, _) = pending.take(2);
        assert_eq!(told(&changes), [(1, true), (3, true)]);
        assert!(!pending.left(subscriber(3)), "its arrival is being published");
        assert_eq!(pending.items.len(), 2);
        let (changes, _) = pending.take(10);
        assert_eq!(told(&changes), [(9, false), (3, false)]);
        assert!(pending.is_empty() && pending.came.is_empty());
    }

    #[test]
    fn a_question_is_answered_behind_what_was_before_it() {
        let mut pending = Pending::default();
        let ask = |pending: &mut Pending| {
            let (answer, answered) = oneshot::channel();
            pending.question(answer);
            answered
        };
        pending.came(subscriber(1));
        pending.came(subscriber(2));
        let mut asked = ask(&mut pending);
        pending.came(subscriber(3));
        let (changes, answers) = pending.take(1);
        assert_eq!((told(&changes), answers.len()), (vec![(1, true)], 0));
        let (changes, answers) = pending.take(1);
        assert_eq!((told(&changes), answers.len()), (vec![(2, true)], 1));
        drop(answers);
        assert!(asked.try_recv().is_err());
        assert!(!pending.is_asked() && !pending.is_empty());
    }
}
