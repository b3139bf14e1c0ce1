//! Rules that discard the updates of some topics earlier than other updates.
use super::list::TextOr;
use crate::quantity::HumanDuration;
use fanfare_hub::{log::TopicRetention, topic::matcher::Matcher};
use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, str::FromStr};

/// A rule: updates of `topics` are discarded from the log when they are older than `age`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct RetentionRule {
    /// The topics whose updates the rule concerns: a topic, a URI Template, or `*` for all topics.
    topics: String,
    age: HumanDuration,
}

/// A retention rule as a configuration file has it, not yet checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetentionFields {
    topics: String,
    age: HumanDuration,
}

/// The reason why a text or a table is not a retention rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidRetention {
    /// There is no `=` between topics and age.
    NoAge,
    /// The text is not a topic, a URI Template or `*`.
    Topics(String),
    /// The text after `=` is not a duration.
    Age(String),
}

impl RetentionRule {
    /// Returns the rule as the type that the log expects.
    pub(crate) fn to_topic_retention(&self) -> TopicRetention {
        let topics = Matcher::legacy_selector(&self.topics).expect("the topics were checked before");
        TopicRetention { topics, age_ms: u64::try_from(self.age.0.as_millis()).unwrap_or(u64::MAX) }
    }
}

impl<'de> Deserialize<'de> for RetentionRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TextOr::<RetentionFields, Self>::deserialize(deserializer)
    }
}

impl TryFrom<RetentionFields> for RetentionRule {
    type Error = InvalidRetention;

    fn try_from(RetentionFields { topics, age }: RetentionFields) -> Result<Self, InvalidRetention> {
        match Matcher::legacy_selector(&topics) {
            Ok(_) => Ok(Self { topics, age }),
            Err(_) => Err(InvalidRetention::Topics(topics)),
        }
    }
}

impl FromStr for RetentionRule {
    type Err = InvalidRetention;

    fn from_str(text: &str) -> Result<Self, InvalidRetention> {
        // The last `=` separates the topics from the age, because topics are often URLs, which may contain `=`.
        let (topics, age) = text.rsplit_once('=').ok_or(InvalidRetention::NoAge)?;
        let age = age.parse().map_err(|_| InvalidRetention::Age(age.to_owned()))?;
        Self::try_from(RetentionFields { topics: topics.to_owned(), age })
    }
}

impl fmt::Display for InvalidRetention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAge => f.write_str("expected topics and an age, such as chat/{room}=1h"),
            Self::Topics(topics) => write!(f, "'{topics}' is not a topic, a URI Template or '*'"),
            Self::Age(age) => write!(f, "'{age}' is not a duration such as 90s, 1h or 7d"),
        }
    }
}

impl std::error::Error for InvalidRetention {}

#[cfg(test)]
mod tests {
    use super::*;
    use fanfare_hub::topic::Topic;

    #[test]
    fn a_rule_is_topics_and_an_age() {
        let cases = [
            ("chat/{room}=1h", "chat/1", "chat", 3_600_000),
            ("https://example.com/?a=b=90s", "https://example.com/?a=b", "https://example.com/?a", 90_000),
            ("*=7d", "anything", "", 604_800_000),
        ];
        for (text, fits, other, age_ms) in cases {
            let rule = text.parse::<RetentionRule>().unwrap().to_topic_retention();
            assert_eq!(rule.age_ms, age_ms, "{text}");
            assert!(rule.topics.matches(&Topic::new(fits).unwrap()), "{text}");
            assert!(other.is_empty() || !rule.topics.matches(&Topic::new(other).unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        let cases = [
            ("chat", InvalidRetention::NoAge),
            ("chat=soon", InvalidRetention::Age("soon".into())),
            ("chat=", InvalidRetention::Age(String::new())),
            ("=1h", InvalidRetention::Topics(String::new())),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<RetentionRule>().unwrap_err(), expected, "{text}");
        }
    }
}
