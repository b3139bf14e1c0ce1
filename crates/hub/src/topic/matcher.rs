//! Topic matchers: they say which topics a subscriber wants, or which topics a grant covers.
//!
//! [Mercure, matcher types](https://mercure.rocks/spec#matcher-types); the older revision of the Mercure protocol calls
//! them topic selectors.
pub use super::invalid_matcher::InvalidMatcher;
use super::{
    InvalidTopic, PRESENCE_TOPICS, Topic,
    candidate::Candidate,
    pattern::Pattern as _,
    pattern_cache::Patterns,
    uri_template::{InvalidUriTemplate, UriTemplate},
    url_pattern::UrlPattern,
};
use std::{
    fmt,
    sync::{Arc, LazyLock},
};
use url::Url;

/// The longest matcher, in bytes: as long as the longest topic.
pub const MAX_MATCHER_BYTES: usize = super::MAX_TOPIC_BYTES;

const WILDCARD: &str = "*";

/// The cache of the patterns that [`Matcher::legacy_selector`] and [`Matcher::url_pattern`] compile.
static SHARED: LazyLock<Patterns> = LazyLock::new(Patterns::default);

/// Selects topics. A clone is cheap. Two matchers are equal if their kinds and their source texts are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Matcher {
    /// `*`: every topic.
    Any,
    /// The one topic that is equal to this text, byte for byte.
    Exact(Topic),
    /// Every topic that the URI Template can expand to, and the template's own text.
    UriTemplate(Arc<UriTemplate>),
    /// Every topic that, resolved against the hub's URL, matches the URL Pattern.
    UrlPattern(Arc<UrlPattern>),
}

impl Matcher {
    /// Returns the matcher of every topic.
    #[must_use]
    pub fn any() -> Self {
        Self::Any
    }

    /// Returns the matcher of the topic that equals `text`. The text `*` matches every topic, as it does for every type
    /// of matcher.
    ///
    /// # Errors
    /// [`InvalidMatcher`] if no topic can equal `text`.
    pub fn exact(text: &str) -> Result<Self, InvalidMatcher> {
        match Topic::new(text) {
            Ok(topic) => Ok(Self::Exact(topic)),
            Err(InvalidTopic::Wildcard) => Ok(Self::Any),
            Err(InvalidTopic::Empty) => Err(InvalidMatcher::Empty),
            Err(InvalidTopic::TooLong { bytes, limit }) => Err(InvalidMatcher::TooLong { bytes, limit }),
            Err(InvalidTopic::Character(character)) => Err(InvalidMatcher::Character(character)),
        }
    }

    /// Returns the matcher for a topic selector of the older revision of the Mercure protocol: `*`, a URI Template, or
    /// a topic. The same URI Template is compiled only once, unless the process uses more templates than the cache can
    /// hold.
    ///
    /// # Errors
    /// [`InvalidMatcher`], but never `InvalidPattern`, because a text that is not a URI Template is compared as a
    /// string.
    pub fn legacy_selector(text: &str) -> Result<Self, InvalidMatcher> {
        Self::legacy_selector_in(&SHARED, text)
    }

    /// Does the same as [`Self::legacy_selector`], but caches compiled templates in `patterns`.
    ///
    /// # Errors
    /// The same errors as those of [`Self::legacy_selector`].
    pub fn legacy_selector_in(patterns: &Patterns, text: &str) -> Result<Self, InvalidMatcher> {
        let exact = Self::exact(text)?;
        if !text.contains('{') {
            return Ok(exact);
        }
        match patterns.uri_templates.get_or_compile(text, || UriTemplate::compile(text)) {
            Ok(template) => Ok(Self::UriTemplate(template)),
            Err(InvalidUriTemplate::Syntax) => Ok(exact),
            Err(InvalidUriTemplate::TooComplex { limit }) => Err(InvalidMatcher::TooComplex { limit }),
        }
    }

    /// True if [`Self::legacy_selector`] need not compile this text now, because it is not a URI Template, or is in the
    /// cache.
    #[must_use]
    pub fn is_known_selector(text: &str) -> bool {
        !text.contains('{') || SHARED.uri_templates.has(text)
    }

    /// True if [`Self::url_pattern`] need not compile this text now, because it is `*`, or is in the cache.
    #[must_use]
    pub fn is_known_url_pattern(text: &str, base: &Url) -> bool {
        text == "*" || SHARED.url_patterns.has(&url_pattern_key(text, base))
    }

    /// Returns the matcher of the topics that match the URL Pattern `text`; `*` is every topic. The pattern, and each
    /// topic that is later compared with it, is resolved against `base`, the hub's URL, if it is relative. The same URL
    /// Pattern is compiled only once, unless the process uses more patterns than the cache can hold.
    ///
    /// # Errors
    /// [`InvalidMatcher`] if `text` is not a URL Pattern, or exceeds a limit.
    pub fn url_pattern(text: &str, base: &Url) -> Result<Self, InvalidMatcher> {
        Self::url_pattern_in(&SHARED, text, base)
    }

    /// Does the same as [`Self::url_pattern`], but caches compiled patterns in `patterns`.
    ///
    /// # Errors
    /// The same errors as those of [`Self::url_pattern`].
    pub fn url_pattern_in(patterns: &Patterns, text: &str, base: &Url) -> Result<Self, InvalidMatcher> {
        if Self::exact(text)? == Self::Any {
            return Ok(Self::Any);
        }
        let compile = || UrlPattern::compile(text, base);
        patterns.url_patterns.get_or_compile(&url_pattern_key(text, base), compile).map(Self::UrlPattern)
    }

    /// True if the matcher selects `topic`. The time is proportional to the length of the topic.
    #[must_use]
    pub fn matches(&self, topic: &Topic) -> bool {
        self.fits(&Candidate::new(topic))
    }

    /// Does the same as [`Self::matches`] for a topic that is compared with several matchers.
    pub(crate) fn fits<'a>(&'a self, candidate: &Candidate<'a>) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(exact) => exact == candidate.topic,
            Self::UriTemplate(template) => template.matches(candidate.topic),
            Self::UrlPattern(pattern) => pattern.fits(candidate),
        }
    }

    /// True if the matcher may select a topic that names a subscription. The result is true in case of doubt.
    #[must_use]
    pub(crate) fn may_match_presence(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(topic) => topic.is_of_presence(),
            Self::UriTemplate(template) => template.may_match_below(PRESENCE_TOPICS),
            Self::UrlPattern(pattern) => pattern.may_match_below(PRESENCE_TOPICS),
        }
    }

    /// True for a URI Template and a URL Pattern: to find its subscribers, each topic must be compared with it.
    #[must_use]
    pub fn is_pattern(&self) -> bool {
        matches!(self, Self::UriTemplate(_) | Self::UrlPattern(_))
    }

    /// An upper bound of the size of the compiled form, in bytes; 0 if there is no regular expression. The limit on the
    /// compiled patterns of a client is applied to the sum over its matchers.
    #[must_use]
    pub fn compiled_bytes(&self) -> usize {
        match self {
            Self::Any | Self::Exact(_) => 0,
            Self::UriTemplate(template) => template.compiled_bytes(),
            Self::UrlPattern(pattern) => pattern.compiled_bytes(),
        }
    }

    /// The memory that the matcher points to, in bytes: its text and its compiled form. All clones share it.
    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::Any => 0,
            Self::Exact(topic) => topic.as_str().len(),
            Self::UriTemplate(template) => template.held_bytes(),
            Self::UrlPattern(pattern) => pattern.held_bytes(),
        }
    }

    /// The memory of the text by which the cache of compiled patterns finds the pattern, in bytes; 0 for a topic.
    pub(crate) fn cached_bytes(&self) -> usize {
        match self {
            Self::Any | Self::Exact(_) => 0,
            Self::UriTemplate(template) => template.as_str().len(),
            Self::UrlPattern(pattern) => url_pattern_key(pattern.as_str(), pattern.base()).len(),
        }
    }

    /// The text that the matcher was made from.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Any => WILDCARD,
            Self::Exact(topic) => topic.as_str(),
            Self::UriTemplate(template) => template.as_str(),
            Self::UrlPattern(pattern) => pattern.as_str(),
        }
    }
}

/// Returns the key of a URL Pattern in a cache. URLs and matchers contain no line feed, so different pairs of a URL and a
/// matcher have different keys.
fn url_pattern_key(text: &str, base: &Url) -> String {
    format!("{base}\n{text}")
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(text: &str) -> Topic {
        Topic::new(text).unwrap()
    }

    fn hub() -> Url {
        Url::parse("https://hub.example/.well-known/mercure").unwrap()
    }

    /// B17: `*` matches everything, whatever the type of the matcher is.
    #[test]
    fn the_wildcard_has_no_type() {
        assert_eq!(Matcher::exact("*"), Ok(Matcher::Any));
        assert_eq!(Matcher::legacy_selector("*"), Ok(Matcher::Any));
        assert_eq!(Matcher::url_pattern("*", &hub()), Ok(Matcher::Any));
        assert!(Matcher::any().matches(&topic("not a URL")));
    }

    /// B16: an exact matcher compares bytes; nothing is normalised or resolved.
    #[test]
    fn exact_is_byte_equality() {
        let cases = [
            ("https://example.com/a", "https://example.com/a", true),
            ("https://example.com/a", "https://EXAMPLE.com/a", false),
            ("https://example.com/a", "https://example.com/%61", false),
            ("https://example.com/a", "https://example.com/a/", false),
            ("https://example.com:443/a", "https://example.com/a", false),
            ("/a", "https://hub.example/a", false),
            ("{id}", "1", false),
            ("é", "e\u{301}", false),
        ];
        for (matcher, text, expected) in cases {
            assert_eq!(Matcher::exact(matcher).unwrap().matches(&topic(text)), expected, "{matcher} and {text}");
        }
    }

    /// B L19: `*`, or string equality, or a valid URI Template that matches; otherwise false.
    #[test]
    fn a_legacy_selector_is_a_template_only_if_it_is_a_valid_one() {
        assert!(matches!(Matcher::legacy_selector("/books/1"), Ok(Matcher::Exact(_))));
        for selector in ["/books/{id", "/books/}", "{}", "{!x}", "<{id}>", "{id", "{a b}", "{x:0}"] {
            let matcher = Matcher::legacy_selector(selector).unwrap();
            assert!(matches!(matcher, Matcher::Exact(_)), "{selector}");
            assert!(matcher.matches(&topic(selector)));
        }
        let template = Matcher::legacy_selector("/books/{id}").unwrap();
        assert!(template.matches(&topic("/books/{id}")), "a template equals itself");
        assert!(template.matches(&topic("/books/1")) && !template.matches(&topic("/books/1/2")));
    }

    /// B10, B11: the limits hold for each type of matcher.
    #[test]
    fn every_matcher_is_bounded_and_printable() {
        type Make = fn(&str) -> Result<Matcher, InvalidMatcher>;
        let url_pattern: Make = |text| Matcher::url_pattern(text, &hub());
        for make in [Matcher::exact as Make, Matcher::legacy_selector, url_pattern] {
            assert!(make(&"x".repeat(MAX_MATCHER_BYTES)).is_ok());
            let (bytes, limit) = (MAX_MATCHER_BYTES + 1, MAX_MATCHER_BYTES);
            assert_eq!(make(&"x".repeat(bytes)), Err(InvalidMatcher::TooLong { bytes, limit }));
            assert_eq!(make(""), Err(InvalidMatcher::Empty));
            assert_eq!(make("a\u{202e}{b}"), Err(InvalidMatcher::Character('\u{202e}')));
            assert_eq!(make("{a}\n"), Err(InvalidMatcher::Character('\n')));
        }
    }

    #[test]
    fn compiled_patterns_are_shared() {
        let (Ok(Matcher::UriTemplate(one)), Ok(Matcher::UriTemplate(two))) =
            (Matcher::legacy_selector("/shared/{id}"), Matcher::legacy_selector("/shared/{id}"))
        else {
            panic!("it is a template")
        };
        assert!(Arc::ptr_eq(&one, &two));
        assert!(Matcher::is_known_selector("/shared/{id}") && Matcher::is_known_selector("/shared/"));
        assert!(!Matcher::is_known_selector("/shared/{never-seen}") && !Matcher::is_known_url_pattern("/x", &hub()));
        let (Ok(Matcher::UrlPattern(one)), Ok(Matcher::UrlPattern(two))) =
            (Matcher::url_pattern("/shared/:id", &hub()), Matcher::url_pattern("/shared/:id", &hub()))
        else {
            panic!("it is a URL Pattern")
        };
        assert!(Arc::ptr_eq(&one, &two));
        assert!(Matcher::is_known_url_pattern("/shared/:id", &hub()));
        assert!(Matcher::is_known_url_pattern("*", &hub()), "every topic: nothing is compiled");
    }

    #[test]
    fn the_compiled_size_is_known() {
        let pattern = |text| Matcher::url_pattern(text, &hub()).unwrap().compiled_bytes();
        let template = |text| Matcher::legacy_selector(text).unwrap().compiled_bytes();
        assert_eq!([pattern("/a"), pattern("/a/:id"), pattern("/a/*"), template("/a")], [0; 4]);
        for (usual, large) in
            [(template("/a/{id}"), template("/{x:30}")), (pattern("/:a/:b"), pattern("/([a-z]{900})"))]
        {
            assert!(0 < usual && usual < large && large <= super::super::MAX_COMPILED_BYTES, "{usual} {large}");
        }
    }

    #[test]
    fn matchers_are_compared_by_kind_and_source() {
        let other_hub = Url::parse("https://other.example/.well-known/mercure").unwrap();
        let mut matchers = [
            Matcher::url_pattern("/{b}", &other_hub).unwrap(),
            Matcher::url_pattern("/{b}", &hub()).unwrap(),
            Matcher::legacy_selector("/{b}").unwrap(),
            Matcher::legacy_selector("/{a}").unwrap(),
            Matcher::exact("/{b}").unwrap(),
            Matcher::any(),
        ];
        let backwards: Vec<_> = matchers.iter().rev().cloned().collect();
        matchers.sort();
        assert_eq!(matchers[..5], backwards[..5]);
        assert_ne!(matchers[4], matchers[5], "the same pattern means something else at another hub");
    }

    proptest::proptest! {
        /// The text consists of the syntax characters of both pattern languages, in any order.
        #[test]
        fn no_text_makes_a_matcher_panic(
            text in "([a:/?#.*+(){}\\[\\]\\\\|^,;&=!%0@é-]|://|\\(\\?:|:[a-c]|%41|xn--){0,24}",
            name in "([a:/?#.@%é\\[\\]]|://|xn--){1,12}",
        ) {
            for matcher in [Matcher::exact(&text), Matcher::legacy_selector(&text), Matcher::url_pattern(&text, &hub())] {
                let _ = matcher.map(|matcher| matcher.matches(&topic(&name)));
            }
        }
    }
}
