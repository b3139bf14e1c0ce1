//! The key of an audience: the topics that its members subscribed to, the topics that they are granted, and the format
//! in which they receive updates.
use crate::{
    budget::Charged,
    framing::Framing,
    grant::Matchers,
    representation::Representation,
    topic::{Topic, matcher::Matcher},
    update::Update,
};

/// The properties that are the same for all members of an audience. Two subscribers with equal keys are in the same
/// audience.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AudienceKey {
    /// The topics that the members subscribed to: an update is sent to them if one of its topics matches one of these
    /// matchers.
    pub matchers: Matchers,
    /// The topics whose private updates the members may receive: a private update is sent to them only if one of its
    /// topics matches one of these matchers.
    pub granted: Matchers,
    /// The format in which the members receive updates.
    pub representation: Representation,
    /// The framing of the bytes that the members get.
    pub framing: Framing,
    /// True if the members presented no token. What they take together is limited by a smaller budget, so they are in
    /// audiences of their own.
    pub is_anonymous: bool,
    /// The part of the budgets that the audience takes; none if it was not [admitted](crate::Hub::admit).
    pub charged: Charged,
}

impl AudienceKey {
    /// Returns the key of an audience whose members get plain bytes, and have presented a token.
    #[must_use]
    pub fn new(matchers: Matchers, granted: Matchers, representation: Representation) -> Self {
        let (framing, is_anonymous, charged) = (Framing::Plain, false, Charged::default());
        Self { matchers, granted, representation, framing, is_anonymous, charged }
    }

    /// True if the members get `update`: they subscribed to one of its topics, and they may receive it. They may
    /// receive a private update if any of its topics is granted to them, even if they subscribed to another of its
    /// topics.
    #[must_use]
    pub fn admits(&self, update: &Update) -> bool {
        self.matches(update.topics()) && self.may_receive(update)
    }

    /// True if the members may receive `update`. This does not check whether they subscribed to it.
    #[must_use]
    pub fn may_receive(&self, update: &Update) -> bool {
        self.may_receive_of(update.topics(), update.is_private())
    }

    /// True if the members subscribed to at least one of these topics.
    pub(crate) fn matches(&self, topics: &[Topic]) -> bool {
        topics.iter().any(|topic| self.matchers.matches(topic))
    }

    /// True if the members may receive an update with these topics, which is private if `private` is true. This does
    /// not check whether they subscribed to the update.
    pub(crate) fn may_receive_of(&self, topics: &[Topic], private: bool) -> bool {
        !private || topics.iter().any(|topic| self.granted.matches(topic))
    }

    /// True if the members may receive presence updates, as far as their matchers show. Presence updates that the log
    /// has dropped may have been for them.
    pub(crate) fn follows_presence(&self) -> bool {
        let may_match = |matchers: &Matchers| matchers.as_slice().iter().any(Matcher::may_match_presence);
        may_match(&self.matchers) && may_match(&self.granted)
    }

    /// True if every entry of the log has to be read for the members, because they subscribed to a pattern, or to
    /// presence. The log has no index for these.
    pub(crate) fn has_pattern(&self) -> bool {
        self.matchers.as_slice().iter().any(|matcher| indexed(matcher).is_none())
    }

    /// The topics that the members subscribed to; `None` if the log has no index for one of their matchers.
    pub(crate) fn exact_topics(&self) -> Option<Vec<Topic>> {
        let exact = |matcher: &Matcher| indexed(matcher).cloned();
        self.matchers.as_slice().iter().map(exact).collect()
    }
}

/// Returns the topic of a matcher whose updates the log finds by its index; `None` if the log has no index for the
/// matcher.
fn indexed(matcher: &Matcher) -> Option<&Topic> {
    match matcher {
        Matcher::Exact(topic) if !topic.is_of_presence() => Some(topic),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::UpdateFields;

    /// B15, B35, B36: an update reaches an audience if one of its topics was asked for and, if the update is private,
    /// one of its topics is granted. The order of the topics does not matter.
    #[test]
    fn a_private_update_takes_a_topic_asked_for_and_one_granted() {
        let set = |topics: &[&str]| topics.iter().map(|topic| Matcher::exact(topic).unwrap()).collect::<Matchers>();
        type Topics = &'static [&'static str];
        // Each case: the topics asked for, the topics granted, and the topics of the update; then whether the update is
        // delivered if it is public, and whether it is delivered if it is private.
        let cases: &[(Topics, Topics, Topics, bool, bool)] = &[
            (&["a"], &[], &["a"], true, false),
            (&["a"], &["a"], &["a"], true, true),
            (&["a"], &["b"], &["a", "b"], true, true),
            (&["a"], &["b"], &["b", "a"], true, true),
            (&["a"], &["b"], &["c", "a", "d", "b"], true, true),
            (&["a"], &["b"], &["a", "c"], true, false),
            (&["a"], &["b"], &["c", "b"], false, false),
            (&["a"], &["*"], &["b", "a"], true, true),
            (&["*"], &[], &["a"], true, false),
        ];
        for (matchers, granted, topics, public, private) in cases {
            let key = AudienceKey::new(set(matchers), set(granted), Representation::EventStream);
            for (private, expected) in [(false, public), (true, private)] {
                let topics = topics.iter().map(|topic| Topic::new(topic).unwrap()).collect();
                let update = Update::new(UpdateFields { topics, private, ..UpdateFields::default() }).unwrap();
                assert_eq!(key.admits(&update), *expected, "{matchers:?} {granted:?} {update:?}");
            }
        }
    }
}
