//! A topic: the name of the thing that an update is about.
use regex::Regex;
use std::{
    fmt,
    sync::{Arc, LazyLock},
};
use url::Url;

/// The longest topic, in bytes.
pub const MAX_TOPIC_BYTES: usize = 4_096;
/// The beginning of the topics that name subscriptions, in both revisions of Mercure. The server makes such topics, and
/// refuses them from publishers. So the log recognises presence updates by their topics.
pub const PRESENCE_TOPICS: &str = "/.well-known/mercure/subscriptions/";

/// The name of the thing that an update is about. It is often a URL, but only URL Patterns treat it as one. A clone is
/// cheap.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(Arc<str>);

/// The reason why a text is not a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidTopic {
    /// The text is empty.
    Empty,
    /// The text is `*`, which is a matcher for every topic.
    Wildcard,
    /// The text is longer than [`MAX_TOPIC_BYTES`].
    TooLong {
        /// The length of the text in bytes.
        bytes: usize,
        /// The longest length that is allowed, in bytes.
        limit: usize,
    },
    /// The text contains a control character or an invisible format character.
    Character(char),
}

impl Topic {
    /// Returns `text` as a topic.
    ///
    /// # Errors
    /// [`InvalidTopic`] if `text` is not a valid topic.
    pub fn new(text: &str) -> Result<Self, InvalidTopic> {
        if text.is_empty() {
            return Err(InvalidTopic::Empty);
        }
        if text == "*" {
            return Err(InvalidTopic::Wildcard);
        }
        if text.len() > MAX_TOPIC_BYTES {
            return Err(InvalidTopic::TooLong { bytes: text.len(), limit: MAX_TOPIC_BYTES });
        }
        match forbidden_character(text) {
            Some(character) => Err(InvalidTopic::Character(character)),
            None => Ok(Self(text.into())),
        }
    }

    /// The topic's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True if the topic names a subscription.
    #[must_use]
    pub fn is_of_presence(&self) -> bool {
        self.0.starts_with(PRESENCE_TOPICS)
    }

    /// Returns the URL of the topic, resolved against `base`; `None` if the topic is not a URL. Exact matchers do not
    /// use this URL.
    #[must_use]
    pub fn resolve(&self, base: &Url) -> Option<Url> {
        base.join(&self.0).ok()
    }
}

/// Returns the first character of `text` that topics, IDs and event types may not contain: a control character (C0,
/// DEL, C1) or a format character (Unicode category Cf), which could forge lines or hide differences.
#[must_use]
pub fn forbidden_character(text: &str) -> Option<char> {
    static FORBIDDEN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"[\p{Cc}\p{Cf}]").expect("the expression is constant and valid"));
    if text.is_ascii() {
        return text.chars().find(char::is_ascii_control);
    }
    FORBIDDEN.find(text)?.as_str().chars().next()
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("a topic cannot be empty"),
            Self::Wildcard => f.write_str("'*' is not a topic but matches every topic"),
            Self::TooLong { bytes, limit } => write!(f, "the topic has {bytes} bytes, {limit} are allowed"),
            Self::Character(character) => write!(f, "the topic contains {character:?}, a control or format character"),
        }
    }
}

impl std::error::Error for InvalidTopic {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_any_text_that_cannot_deceive() {
        for text in ["a", "https://example.com/books/1", "/relative", "καφές ☕", "**", "{id}", "a b", "\u{2028}"]
        {
            assert_eq!(Topic::new(text).as_ref().map(Topic::as_str), Ok(text));
        }
        assert_eq!(Topic::new(""), Err(InvalidTopic::Empty));
        // B21: publishing to `*` would mean publishing to everybody.
        assert_eq!(Topic::new("*"), Err(InvalidTopic::Wildcard));
    }

    #[test]
    fn a_topic_is_at_most_max_topic_bytes_long() {
        assert!(Topic::new(&"x".repeat(MAX_TOPIC_BYTES)).is_ok());
        let (bytes, limit) = (MAX_TOPIC_BYTES + 1, MAX_TOPIC_BYTES);
        assert_eq!(Topic::new(&"x".repeat(bytes)), Err(InvalidTopic::TooLong { bytes, limit }));
        assert!(Topic::new(&"é".repeat(MAX_TOPIC_BYTES / 2)).is_ok(), "the limit is in bytes");
        assert!(Topic::new(&"é".repeat(MAX_TOPIC_BYTES / 2 + 1)).is_err());
    }

    /// B10: no C0, C1 or DEL, no Unicode Cf.
    #[test]
    fn controls_and_format_characters_are_forbidden() {
        let controls = ['\0', '\t', '\n', '\r', '\u{1b}', '\u{1f}', '\u{7f}', '\u{80}', '\u{9f}'];
        let formats = ['\u{ad}', '\u{600}', '\u{61c}', '\u{200b}', '\u{200e}', '\u{202e}', '\u{2066}', '\u{feff}'];
        let formats_beyond_the_bmp = ['\u{110bd}', '\u{1d173}', '\u{e0001}', '\u{e007f}'];
        for character in controls.into_iter().chain(formats).chain(formats_beyond_the_bmp) {
            assert_eq!(Topic::new(&format!("a{character}b")), Err(InvalidTopic::Character(character)));
            assert_eq!(forbidden_character(&format!("é{character}\n")), Some(character), "the first one is told");
        }
        for character in [' ', '~', '\u{a0}', '\u{ac}', '\u{ae}', '\u{2010}', '\u{2029}', '\u{fffd}', '\u{1f600}'] {
            assert_eq!(forbidden_character(&character.to_string()), None, "{character:?}");
        }
    }
}
