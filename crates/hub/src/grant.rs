//! Grants: the topics that a publisher or subscriber may publish and receive, as one set of topic matchers for each of
//! the two actions.
//!
//! [Mercure, authorization](https://mercure.rocks/spec#authorization)
use crate::{
    topic::{Topic, matcher::Matcher},
    update::Update,
};
use std::{
    cmp::Ordering,
    fmt,
    hash::{BuildHasher as _, Hash, Hasher, RandomState},
    sync::{Arc, LazyLock},
};

/// A set of topic matchers. A clone is cheap. Two sets with the same matchers are equal, whatever the order in which
/// the matchers were given. So subscribers that list the same matchers in different orders can be in the same audience.
#[derive(Clone)]
pub struct Matchers {
    matchers: Arc<[Matcher]>,
    /// The hash of all matchers. It is made only once, because a set may have 400 KiB of text, and audiences are looked
    /// up and moved in several tables.
    hash: u64,
}

/// The state of the hashes of all sets.
static HASHES: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// The topics that a client may publish, and the topics whose private updates it may receive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    /// The matchers of the topics under which the client may publish updates.
    pub publish: Matchers,
    /// The matchers of the topics whose private updates the client may receive.
    pub subscribe: Matchers,
}

impl Matchers {
    /// The set that matches every topic.
    #[must_use]
    pub fn any() -> Self {
        Self::of(Arc::new([Matcher::any()]))
    }

    /// Returns the set of these matchers, which are in ascending order.
    fn of(matchers: Arc<[Matcher]>) -> Self {
        let hash = HASHES.hash_one(&*matchers);
        Self { matchers, hash }
    }

    /// True if there is no matcher, so no topic matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.matchers.is_empty()
    }

    /// The matchers in ascending order, each once.
    #[must_use]
    pub fn as_slice(&self) -> &[Matcher] {
        &self.matchers
    }

    /// True if at least one matcher matches `topic`.
    #[must_use]
    pub fn matches(&self, topic: &Topic) -> bool {
        self.matchers.iter().any(|matcher| matcher.matches(topic))
    }
}

impl FromIterator<Matcher> for Matchers {
    fn from_iter<I: IntoIterator<Item = Matcher>>(matchers: I) -> Self {
        let mut matchers: Vec<_> = matchers.into_iter().collect();
        matchers.sort_unstable();
        matchers.dedup();
        Self::of(matchers.into())
    }
}

impl Default for Matchers {
    fn default() -> Self {
        Self::of(Arc::default())
    }
}

impl PartialEq for Matchers {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash && self.matchers == other.matchers
    }
}

impl Eq for Matchers {}

impl Hash for Matchers {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

impl PartialOrd for Matchers {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Matchers {
    fn cmp(&self, other: &Self) -> Ordering {
        self.matchers.cmp(&other.matchers)
    }
}

impl fmt::Debug for Matchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.as_slice()).finish()
    }
}

impl Grant {
    /// The grant of everything: to publish any update and to receive any private update.
    #[must_use]
    pub fn open() -> Self {
        Self { publish: Matchers::any(), subscribe: Matchers::any() }
    }

    /// The grant of an anonymous subscriber: it may receive public updates and nothing else.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// True if every topic of `update` may be published. One topic that may not be published forbids the whole update.
    #[must_use]
    pub fn may_publish(&self, update: &Update) -> bool {
        update.topics().iter().all(|topic| self.publish.matches(topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::UpdateFields;

    fn update(topics: &[&str], private: bool) -> Update {
        let topics = topics.iter().map(|topic| Topic::new(topic).unwrap()).collect();
        Update::new(UpdateFields { topics, private, ..UpdateFields::default() }).unwrap()
    }

    fn matchers(selectors: &[&str]) -> Matchers {
        selectors.iter().map(|selector| Matcher::legacy_selector(selector).unwrap()).collect()
    }

    /// B27: the grant to publish must cover EVERY topic; a grant that is absent or empty allows none.
    #[test]
    fn publishing_takes_a_grant_for_every_topic() {
        let cases: &[(&[&str], &[&str], bool)] = &[
            (&[], &["a"], false),
            (&["a"], &["a"], true),
            (&["a"], &["a", "b"], false),
            (&["a"], &["b", "a"], false),
            (&["a", "b"], &["a", "b"], true),
            (&["/{x}"], &["/1", "/2"], true),
            (&["/{x}"], &["/1", "/2/3"], false),
            (&["*"], &["a", "b"], true),
        ];
        for (granted, topics, expected) in cases {
            for private in [false, true] {
                let grant = Grant { publish: matchers(granted), subscribe: Matchers::any() };
                assert_eq!(grant.may_publish(&update(topics, private)), *expected, "{granted:?} {topics:?}");
            }
        }
    }

    #[test]
    fn sets_of_the_same_matchers_are_equal() {
        assert_eq!(matchers(&["b", "a", "{x}", "b"]), matchers(&["{x}", "a", "b"]));
        assert_ne!(matchers(&["a"]), matchers(&["a", "b"]));
        assert_eq!(matchers(&["*", "*"]), Matchers::any());
    }
}
