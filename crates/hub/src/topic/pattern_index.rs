//! An index of patterns by the literal text with which all of their topics begin. So a topic is not compared with every
//! pattern, but only with those whose literal beginning it has.
//!
//! A topic that a URI Template matches begins with the template's text before its first expression. For a URL Pattern,
//! the URLs of topics are indexed instead, because different texts can be the same URL: the components are normalised,
//! and compared one after the other.
use super::{candidate::Candidate, matcher::Matcher};
use crate::prefix_tree::{INDEXED_BYTES, PrefixTree, Value};
use url::Url;

/// Values of patterns: one for all patterns with the same literal beginning.
#[derive(Debug, Default)]
pub(crate) struct PatternIndex<T> {
    /// The values by the beginning of the topic. The matcher `*` is here, too, with an empty beginning.
    topics: PrefixTree<T>,
    /// The values by the beginning of the topic's URL, for each URL against which topics are resolved. Usually there is
    /// one such URL.
    urls: Vec<(Url, PrefixTree<T>)>,
}

/// The greatest number of bytes of a matcher's literal beginning that an index holds.
pub(crate) fn text_bytes(matcher: &Matcher) -> usize {
    let beginning = match matcher {
        Matcher::Any | Matcher::Exact(_) => 0,
        Matcher::UriTemplate(template) => template.literal_beginning().len(),
        Matcher::UrlPattern(pattern) => pattern.literal_beginning().len(),
    };
    beginning.min(INDEXED_BYTES)
}

impl<T: Value> PatternIndex<T> {
    /// Changes the value that belongs to the literal beginning of `matcher`, which is not an exact matcher.
    pub(crate) fn change(&mut self, matcher: &Matcher, change: impl FnOnce(&mut T)) {
        match matcher {
            Matcher::Any => self.topics.change(b"", change),
            Matcher::Exact(_) => unreachable!("an exact matcher is not a pattern"),
            Matcher::UriTemplate(template) => self.topics.change(template.literal_beginning().as_bytes(), change),
            Matcher::UrlPattern(pattern) => {
                let beginning = pattern.literal_beginning();
                let place = self.urls.iter().position(|(base, _)| base == pattern.base());
                let place = place.unwrap_or_else(|| {
                    self.urls.push((pattern.base().clone(), PrefixTree::default()));
                    self.urls.len() - 1
                });
                self.urls[place].1.change(beginning.as_bytes(), change);
                if self.urls[place].1.is_empty() {
                    self.urls.swap_remove(place);
                }
            }
        }
    }

    /// Calls `visit` with the values of all patterns that may match the topic. The topic matches no other pattern.
    pub(crate) fn visit<'a>(&'a self, candidate: &Candidate<'a>, mut visit: impl FnMut(&'a T)) {
        self.topics.along(candidate.topic.as_str().as_bytes()).for_each(&mut visit);
        for (base, tree) in &self.urls {
            if let Some(url) = candidate.resolve(base) {
                let text = super::url_pattern::indexed_text(&url);
                tree.along(text.as_bytes()).for_each(&mut visit);
            }
        }
    }

    /// The values of the patterns that have no literal beginning, one for each kind of pattern. They are visited for
    /// each topic.
    pub(crate) fn roots(&self) -> impl Iterator<Item = &T> {
        std::iter::once(self.topics.root()).chain(self.urls.iter().map(|(_, tree)| tree.root()))
    }

    /// True if there is no pattern.
    pub(crate) fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.urls.is_empty()
    }
}
