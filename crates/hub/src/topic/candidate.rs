//! A topic that is held against many matchers. What they have to know of it is found out once.
use super::Topic;
use std::{borrow::Cow, cell::OnceCell};
use url::Url;

/// A topic, and the URL that it is.
pub(crate) struct Candidate<'a> {
    pub(crate) topic: &'a Topic,
    /// The topic as the first pattern that asked resolves it: the URL that it is relative to, and the result.
    resolved: OnceCell<(&'a Url, Option<Url>)>,
}

impl<'a> Candidate<'a> {
    pub(crate) fn new(topic: &'a Topic) -> Self {
        Self { topic, resolved: OnceCell::new() }
    }

    /// The URL that the topic is when read relative to `base`. All patterns of a hub have the same, as a rule.
    pub(crate) fn resolve(&self, base: &'a Url) -> Option<Cow<'_, Url>> {
        let (known, url) = self.resolved.get_or_init(|| (base, self.topic.resolve(base)));
        if *known == base { url.as_ref().map(Cow::Borrowed) } else { self.topic.resolve(base).map(Cow::Owned) }
    }
}
