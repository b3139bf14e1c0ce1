//! The topics of an update that an audience may see: the topics that it subscribed to, and the topics that it is
//! granted. Alternate topics are often a list of recipients, and one recipient must not see the other recipients. For a
//! private update, a pattern that the audience subscribed to makes no topic visible.
//!
//! The visible topics depend only on the update and the audience's key. So they are the same for all members of an
//! audience, and audiences that see the same topics share one encoded event. An event of a plain event stream names no
//! topics, so this module is not used for it.
use crate::{
    audience_key::AudienceKey,
    grant::Matchers,
    topic::{Topic, candidate::Candidate, matcher::Matcher},
    update::Update,
};
use std::{cell::OnceCell, collections::HashMap, sync::Arc};

/// The topics of an update that an audience sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Visible {
    /// All topics.
    All,
    /// Some of the topics: for each topic that is visible, the bit with the index of the topic is set.
    Some(Box<[u64]>),
}

/// The topics of one update, while they are compared with the keys of several audiences. Each pattern is tried with a
/// topic at most once, even if many audiences have the pattern, and only for a topic that the audience does not see
/// already.
///
/// There may be as many audiences as subscribers, and each may have a hundred long topics and patterns. So their texts
/// are not hashed: a topic is found by a few comparisons, and a pattern by its address.
pub(crate) struct Sight<'a> {
    topics: &'a [Topic],
    is_private: bool,
    /// The indices of the topics, in the order of the topics; empty as long as they were not needed.
    in_order: Vec<usize>,
    candidates: Vec<Candidate<'a>>,
    by_pattern: HashMap<Address, Tried>,
    /// The number of times that a pattern was tried with a topic.
    #[cfg(test)]
    tries: usize,
}

/// The address of a compiled pattern. All audiences that were admitted share the copies of their patterns.
type Address = *const ();

/// The topics that a pattern was tried with, and the topics among them that it matches.
struct Tried {
    tried: Box<[u64]>,
    fitting: Box<[u64]>,
}

impl Visible {
    /// Returns the topics among `topics` that are visible. `topics` must be the topics of the update for which this
    /// value was made.
    pub(crate) fn of<'a>(&self, topics: &'a [Topic]) -> Vec<&'a str> {
        let visible = topics.iter().enumerate().filter(|(index, _)| self.has(*index));
        visible.map(|(_, topic)| topic.as_str()).collect()
    }

    fn has(&self, index: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(bits) => has(bits, index),
        }
    }

    /// Returns the topics of `update` that the audience with this key may see; the audience must be one that gets the
    /// update. A reader of the log calls this function for each entry. The reader has only one audience, so, unlike
    /// [`Sight`], this function keeps no results for other audiences.
    pub(crate) fn to(key: &AudienceKey, update: &Update) -> Self {
        let topics = update.topics();
        if sees_all(key, topics, update.is_private()) {
            return Self::All;
        }
        let mut seen = none_of(topics);
        for (index, topic) in topics.iter().enumerate() {
            let candidate = OnceCell::new();
            let candidate = || candidate.get_or_init(|| Candidate::new(topic));
            let is_visible = names(&key.matchers, topic)
                || names(&key.granted, topic)
                || patterns(key, update.is_private()).any(|pattern| pattern.fits(candidate()));
            if is_visible {
                set(&mut seen, index);
            }
        }
        Self::of_bits(seen, topics)
    }

    /// Returns the set of the topics whose bits are set in `seen`. If all bits are set, it is always [`Self::All`], so
    /// that equal sets are equal values.
    fn of_bits(seen: Box<[u64]>, topics: &[Topic]) -> Self {
        if are_all(&seen, topics) { Self::All } else { Self::Some(seen) }
    }
}

impl<'a> Sight<'a> {
    pub(crate) fn of(update: &'a Update) -> Self {
        Self {
            topics: update.topics(),
            is_private: update.is_private(),
            in_order: Vec::new(),
            candidates: Vec::new(),
            by_pattern: HashMap::new(),
            #[cfg(test)]
            tries: 0,
        }
    }

    /// Returns the topics that the audience with this key may see; the audience must be one that gets the update.
    pub(crate) fn visible(&mut self, key: &'a AudienceKey) -> Visible {
        if sees_all(key, self.topics, self.is_private) {
            return Visible::All;
        }
        let mut seen = none_of(self.topics);
        self.add_named(&key.matchers, &mut seen);
        self.add_named(&key.granted, &mut seen);
        // Patterns are tried after exact matchers, because they cost more, and often the exact matchers already show
        // all topics.
        for pattern in patterns(key, self.is_private) {
            if are_all(&seen, self.topics) {
                return Visible::All;
            }
            self.add_fitting(pattern, &mut seen);
        }
        Visible::of_bits(seen, self.topics)
    }

    /// Adds to `seen` the topics that an exact matcher of the set names. Both lists are in order: each entry of the
    /// shorter one is searched in the longer one.
    fn add_named(&mut self, matchers: &Matchers, seen: &mut [u64]) {
        if exact(matchers).len() > self.topics.len() {
            let named = self.topics.iter().enumerate().filter(|(_, topic)| names(matchers, topic));
            named.for_each(|(index, _)| set(seen, index));
            return;
        }
        for matcher in exact(matchers) {
            if let Matcher::Exact(topic) = matcher {
                self.indices(topic).iter().for_each(|index| set(seen, *index));
            }
        }
    }

    /// Returns the indices of a topic. There are several if the publisher listed the topic more than once, and none if
    /// the update does not have the topic.
    fn indices(&mut self, topic: &Topic) -> &[usize] {
        let topics = self.topics;
        if self.in_order.is_empty() {
            self.in_order = (0..topics.len()).collect();
            self.in_order.sort_unstable_by_key(|index| &topics[*index]);
        }
        let behind = &self.in_order[self.in_order.partition_point(|index| topics[*index] < *topic)..];
        &behind[..behind.iter().take_while(|index| topics[**index] == *topic).count()]
    }

    /// Adds to `seen` the topics that match a pattern.
    fn add_fitting(&mut self, pattern: &'a Matcher, seen: &mut [u64]) {
        if self.candidates.is_empty() {
            self.candidates.extend(self.topics.iter().map(Candidate::new));
        }
        let topics = self.topics;
        let new = || Tried { tried: none_of(topics), fitting: none_of(topics) };
        let Tried { tried, fitting } = self.by_pattern.entry(address(pattern)).or_insert_with(new);
        for (index, candidate) in self.candidates.iter().enumerate() {
            if has(seen, index) {
                continue;
            }
            if !has(tried, index) {
                set(tried, index);
                #[cfg(test)]
                {
                    self.tries += 1;
                }
                if pattern.fits(candidate) {
                    set(fitting, index);
                }
            }
            if has(fitting, index) {
                set(seen, index);
            }
        }
    }
}

/// True if an audience that gets the update sees all its topics, and no topic has to be compared to know this.
fn sees_all(key: &AudienceKey, topics: &[Topic], is_private: bool) -> bool {
    // If an update has one topic, an audience that gets it has subscribed to this topic.
    topics.len() == 1 || (!is_private && has_all(&key.matchers)) || has_all(&key.granted)
}

/// The patterns by which an audience sees topics. For a private update, these are only the granted patterns: a
/// subscriber with a pattern that is wider than its grant must not see the other recipients of the update.
fn patterns(key: &AudienceKey, is_private: bool) -> impl Iterator<Item = &Matcher> {
    let behind_exact = |matchers: &'_ Matchers| any(matchers) + exact(matchers).len();
    let asked = &key.matchers.as_slice()[behind_exact(&key.matchers)..];
    let asked = if is_private { &[] } else { asked };
    // `*` is left out. Usually it makes all topics visible, which `sees_all` has checked. If the audience subscribed to
    // `*` and the update is private, `*` makes nothing visible, like any other pattern that the audience subscribed to.
    asked.iter().chain(&key.granted.as_slice()[behind_exact(&key.granted)..])
}

/// Returns the address of the compiled form of a pattern. As long as the pattern is there, no other one has the address.
fn address(pattern: &Matcher) -> Address {
    match pattern {
        Matcher::UriTemplate(template) => Arc::as_ptr(template).cast(),
        Matcher::UrlPattern(pattern) => Arc::as_ptr(pattern).cast(),
        Matcher::Any | Matcher::Exact(_) => unreachable!("it is not a pattern"),
    }
}

/// The exact matchers of a set. A set is sorted: `*` is first, then come the exact matchers, and then the patterns.
fn exact(matchers: &Matchers) -> &[Matcher] {
    let matchers = &matchers.as_slice()[any(matchers)..];
    &matchers[..matchers.partition_point(|matcher| matches!(matcher, Matcher::Exact(_)))]
}

/// True if one of the exact matchers of the set is the matcher of this topic.
fn names(matchers: &Matchers, topic: &Topic) -> bool {
    let of = |matcher: &Matcher| match matcher {
        Matcher::Exact(other) => other.cmp(topic),
        _ => unreachable!("the matcher is exact"),
    };
    exact(matchers).binary_search_by(of).is_ok()
}

fn any(matchers: &Matchers) -> usize {
    usize::from(has_all(matchers))
}

/// True if the set has `*`, which is before every other matcher.
fn has_all(matchers: &Matchers) -> bool {
    matchers.as_slice().first() == Some(&Matcher::Any)
}

fn none_of(topics: &[Topic]) -> Box<[u64]> {
    vec![0; topics.len().div_ceil(64)].into()
}

fn are_all(bits: &[u64], topics: &[Topic]) -> bool {
    bits.iter().map(|bits| bits.count_ones() as usize).sum::<usize>() == topics.len()
}

fn has(bits: &[u64], index: usize) -> bool {
    bits[index / 64] >> (index % 64) & 1 == 1
}

fn set(bits: &mut [u64], index: usize) {
    bits[index / 64] |= 1 << (index % 64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{representation::Representation, update::UpdateFields};
    use url::Url;

    fn update(topics: &[&str]) -> Update {
        let topics = topics.iter().map(|topic| Topic::new(topic).unwrap()).collect();
        Update::new(UpdateFields { topics, ..UpdateFields::default() }).unwrap()
    }

    fn matchers(texts: &[&str]) -> Matchers {
        let base = Url::parse("https://hub.example/.well-known/mercure").unwrap();
        let matcher = |text: &&str| match text.strip_prefix("pattern ") {
            Some(pattern) => Matcher::url_pattern(pattern, &base).unwrap(),
            None => Matcher::legacy_selector(text).unwrap(),
        };
        texts.iter().map(matcher).collect()
    }

    #[test]
    fn what_was_asked_for_and_what_is_granted_is_visible() {
        const TOPICS: [&str; 5] = ["/u/1", "/u/2", "/news", "/u/1", "other"];
        type Texts = &'static [&'static str];
        let cases: &[(Texts, Texts, Texts)] = &[
            (&["/news"], &[], &["/news"]),
            (&["/u/1"], &[], &["/u/1", "/u/1"]),
            (&["/u/1", "/news", "absent"], &[], &["/u/1", "/news", "/u/1"]),
            (&["/news"], &["/u/2"], &["/u/2", "/news"]),
            (&["/news"], &["/u/{id}"], &["/u/1", "/u/2", "/news", "/u/1"]),
            (&["/u/{id}"], &[], &["/u/1", "/u/2", "/u/1"]),
            (&["pattern /u/:id"], &["pattern /news"], &["/u/1", "/u/2", "/news", "/u/1"]),
            (&["pattern *"], &[], &TOPICS),
            (&["/news"], &["*"], &TOPICS),
            (&["/u/{id}", "/news", "other"], &[], &TOPICS),
        ];
        let update = update(&TOPICS);
        for (asked, granted, expected) in cases {
            let key = AudienceKey::new(matchers(asked), matchers(granted), Representation::Envelope);
            let visible = Sight::of(&update).visible(&key);
            assert_eq!(Visible::to(&key, &update), visible, "a reader of the log sees the same topics");
            assert_eq!(visible.of(update.topics()), *expected, "{asked:?} {granted:?}");
            assert_eq!(visible == Visible::All, expected.len() == TOPICS.len(), "equal sets are equal values");
        }
    }

    #[test]
    fn a_pattern_shows_nothing_of_a_private_update_that_is_not_granted() {
        let topics = ["/doc", "/u/1", "/u/2"].map(|topic| Topic::new(topic).unwrap()).to_vec();
        let update = Update::new(UpdateFields { topics, private: true, ..UpdateFields::default() }).unwrap();
        for (asked, granted, expected) in [
            (["*"], ["/u/1"], &["/u/1"][..]),
            (["/u/{id}"], ["/u/1"], &["/u/1"]),
            (["pattern *"], ["/u/1"], &["/u/1"]),
            (["/doc"], ["/u/1"], &["/doc", "/u/1"]),
            (["*"], ["/u/{id}"], &["/u/1", "/u/2"]),
            (["/doc"], ["*"], &["/doc", "/u/1", "/u/2"]),
        ] {
            let representation = Representation::Envelope;
            let key = AudienceKey::new(matchers(&asked), matchers(&granted), representation);
            let visible = Sight::of(&update).visible(&key);
            assert_eq!(visible.of(update.topics()), expected, "{asked:?} {granted:?}");
            assert_eq!(Visible::to(&key, &update), visible, "a reader of the log sees the same topics");
        }
    }

    /// The bits are stored in words of 64 bits, so indices from 64 on are tested, too.
    #[test]
    fn many_topics_have_their_indices() {
        let names: Vec<_> = (0..130).map(|number| format!("/{number}")).collect();
        let update = update(&names.iter().map(String::as_str).collect::<Vec<_>>());
        for index in [0, 63, 64, 127, 128, 129] {
            let key = AudienceKey::new(matchers(&[&names[index]]), Matchers::default(), Representation::JsonLines);
            assert_eq!(Sight::of(&update).visible(&key).of(update.topics()), [&names[index]]);
        }
    }

    /// A pattern is not tried if it could show nothing new, and never twice with the same topic.
    #[test]
    fn patterns_are_tried_as_seldom_as_can_be() {
        let names: Vec<_> = (0..100).map(|number| format!("/u/{number}")).collect();
        let update = update(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let all: Vec<_> = names.iter().map(String::as_str).collect();
        let key = |asked: &[&str], granted: &[&str]| {
            AudienceKey::new(matchers(asked), matchers(granted), Representation::Envelope)
        };
        let exact_and_pattern = [&all[..], &["/u/{id}"]].concat();
        let cases = [
            (vec![key(&exact_and_pattern, &[])], 0, "all topics are visible by then"),
            (vec![key(&["/u/1"], &exact_and_pattern)], 0, "the exact ones of either set come first"),
            (vec![key(&["/u/{id}", "/{+rest}"], &[])], 100, "the second pattern has nothing left to show"),
            (vec![key(&["/u/1", "/u/{id}"], &[])], 99, "a visible topic is not tried"),
            (
                (0..50).map(|number| key(&[&names[number], "/u/{id}"], &[])).collect(),
                100,
                "a pattern that was tried is not tried again",
            ),
            ((0..50).map(|number| key(&[&names[number]], &[])).collect(), 0, "no patterns"),
        ];
        for (keys, tries, why) in &cases {
            let mut sight = Sight::of(&update);
            for key in keys {
                assert_eq!(sight.visible(key), Visible::to(key, &update));
            }
            assert_eq!(sight.tries, *tries, "{why}");
        }
    }
}
