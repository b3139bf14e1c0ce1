//! The topics of an update that an audience may know of: those that it subscribed to, and those that it is granted.
//! Alternate topics are often a list of recipients, and who is one of them does not learn of the others.
//!
//! What is visible follows from the update and from the audience's key. So it is the same for all members of an audience, and
//! audiences that see the same topics share one wire event. A plain event stream names no topics: this is not asked for it.
use crate::{
    audience::AudienceKey,
    grant::Matchers,
    topic::{Topic, candidate::Candidate, matcher::Matcher},
    update::Update,
};
use std::collections::HashMap;

/// Some of an update's topics, by their places.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Visible {
    /// All of them.
    All,
    /// Not all: those whose bit is set.
    Some(Box<[u64]>),
}

/// What is known of an update's topics while it is held against the keys of several audiences. Each pattern is tried once,
/// however many audiences have it.
pub(crate) struct Sight<'a> {
    topics: &'a [Topic],
    is_private: bool,
    places: HashMap<&'a Topic, Vec<usize>>,
    candidates: Vec<Candidate<'a>>,
    by_pattern: HashMap<&'a Matcher, Box<[u64]>>,
}

impl Visible {
    /// The visible ones of `topics`, which are those of the same update.
    pub(crate) fn of<'a>(&self, topics: &'a [Topic]) -> Vec<&'a str> {
        let places = topics.iter().enumerate().filter(|(place, _)| self.has(*place));
        places.map(|(_, topic)| topic.as_str()).collect()
    }

    fn has(&self, place: usize) -> bool {
        match self {
            Self::All => true,
            Self::Some(bits) => bits[place / 64] >> (place % 64) & 1 == 1,
        }
    }
}

impl<'a> Sight<'a> {
    pub(crate) fn of(update: &'a Update) -> Self {
        let topics = update.topics();
        Self {
            topics,
            is_private: update.is_private(),
            places: HashMap::new(),
            candidates: Vec::new(),
            by_pattern: HashMap::new(),
        }
    }

    /// What members of the audience with this key, which gets the update, may see.
    pub(crate) fn visible(&mut self, key: &'a AudienceKey) -> Visible {
        // Who gets an update with one topic has subscribed to that.
        if self.topics.len() == 1 || (!self.is_private && has_all(&key.matchers)) || has_all(&key.granted) {
            return Visible::All;
        }
        let mut seen = vec![0; self.topics.len().div_ceil(64)].into_boxed_slice();
        // Who asks for more than is granted, with a pattern, does not learn by that whom a private update is for.
        let is_private = self.is_private;
        let asked =
            key.matchers.as_slice().iter().filter(|matcher| !is_private || matches!(matcher, Matcher::Exact(_)));
        for matcher in asked.chain(key.granted.as_slice()) {
            match matcher {
                Matcher::Exact(topic) => self.places(topic).iter().for_each(|place| set(&mut seen, *place)),
                pattern => seen.iter_mut().zip(self.fitting(pattern)).for_each(|(all, fitting)| *all |= fitting),
            }
        }
        let count: u32 = seen.iter().map(|bits| bits.count_ones()).sum();
        if count as usize == self.topics.len() { Visible::All } else { Visible::Some(seen) }
    }

    /// Where a topic stands; a publisher may have written it twice.
    fn places(&mut self, topic: &Topic) -> &[usize] {
        if self.places.is_empty() {
            for (place, topic) in self.topics.iter().enumerate() {
                self.places.entry(topic).or_default().push(place);
            }
        }
        self.places.get(topic).map_or(&[], Vec::as_slice)
    }

    /// The topics that fit a pattern.
    fn fitting(&mut self, pattern: &'a Matcher) -> &[u64] {
        let Self { topics, candidates, by_pattern, .. } = self;
        if candidates.is_empty() {
            candidates.extend(topics.iter().map(Candidate::new));
        }
        by_pattern.entry(pattern).or_insert_with(|| {
            let mut fitting = vec![0; topics.len().div_ceil(64)].into_boxed_slice();
            let places = candidates.iter().enumerate().filter(|(_, topic)| pattern.fits(topic));
            places.for_each(|(place, _)| set(&mut fitting, place));
            fitting
        })
    }
}

/// `*` comes before every other matcher.
fn has_all(matchers: &Matchers) -> bool {
    matchers.as_slice().first() == Some(&Matcher::Any)
}

fn set(bits: &mut [u64], place: usize) {
    bits[place / 64] |= 1 << (place % 64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{update::UpdateFields, wire::Representation};
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
            let key = AudienceKey {
                matchers: matchers(asked),
                granted: matchers(granted),
                representation: Representation::Envelope,
            };
            let visible = Sight::of(&update).visible(&key);
            assert_eq!(visible.of(update.topics()), *expected, "{asked:?} {granted:?}");
            assert_eq!(visible == Visible::All, expected.len() == TOPICS.len(), "one value for one set");
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
            let key = AudienceKey { matchers: matchers(&asked), granted: matchers(&granted), representation };
            assert_eq!(Sight::of(&update).visible(&key).of(update.topics()), expected, "{asked:?} {granted:?}");
        }
    }

    /// The bits are in words of 64.
    #[test]
    fn many_topics_have_their_places() {
        let names: Vec<_> = (0..130).map(|number| format!("/{number}")).collect();
        let update = update(&names.iter().map(String::as_str).collect::<Vec<_>>());
        for place in [0, 63, 64, 127, 128, 129] {
            let key = AudienceKey {
                matchers: matchers(&[&names[place]]),
                granted: Matchers::default(),
                representation: Representation::JsonLines,
            };
            assert_eq!(Sight::of(&update).visible(&key).of(update.topics()), [&names[place]]);
        }
    }
}
