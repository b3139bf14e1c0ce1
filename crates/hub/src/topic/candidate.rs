//! A topic that is compared with many matchers. The URL of the topic, which several matchers may need, is computed
//! once.
use super::Topic;
use std::{borrow::Cow, cell::OnceCell};
use url::Url;

/// A topic, and the URL that it is resolved to.
pub(crate) struct Candidate<'a> {
    pub(crate) topic: &'a Topic,
    /// The result of resolving the topic for the first pattern that needed it: the base URL, and the URL of the topic.
    resolved: OnceCell<(&'a Url, Option<Url>)>,
}

impl<'a> Candidate<'a> {
    pub(crate) fn new(topic: &'a Topic) -> Self {
        Self { topic, resolved: OnceCell::new() }
    }

    /// Returns the URL of the topic, resolved against `base`; `None` if the topic is not a URL. Only the URL for the
    /// first `base` is stored, because usually all patterns of a hub have the same base.
    pub(crate) fn resolve(&self, base: &'a Url) -> Option<Cow<'_, Url>> {
        let (known, url) = self.resolved.get_or_init(|| (base, self.topic.resolve(base)));
        if *known == base { url.as_ref().map(Cow::Borrowed) } else { self.topic.resolve(base).map(Cow::Owned) }
    }
}
