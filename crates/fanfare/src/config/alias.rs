//! Aliases: paths that the operator chooses for the event stream of some topics.
use super::list::{self, TextOr};
use fanfare_hub::topic::{InvalidTopic, Topic};
use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, str::FromStr};

/// An alias: `GET path` returns the event stream of `topics`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Alias {
    /// The path, which begins with `/`.
    path: String,
    /// At least one topic; `*` means all topics.
    topics: Vec<String>,
}

/// An alias as a configuration file has it, not yet checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AliasFields {
    path: String,
    #[serde(deserialize_with = "list::one_or_many")]
    topics: Vec<String>,
}

/// The reason why a text or a table is not an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidAlias {
    /// There is no `=` between path and topics, or the list of topics is empty.
    NoTopics,
    /// The path does not begin with `/`, or contains a character that a path cannot contain.
    Path(String),
    /// One of the topics is not a valid topic.
    Topic(InvalidTopic),
}

impl Alias {
    /// Returns the path. It begins with `/` and has no query.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Returns the topics, at least one. `*` means all topics.
    pub(crate) fn topics(&self) -> &[String] {
        &self.topics
    }
}

impl<'de> Deserialize<'de> for Alias {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TextOr::<AliasFields, Self>::deserialize(deserializer)
    }
}

impl TryFrom<AliasFields> for Alias {
    type Error = InvalidAlias;

    fn try_from(AliasFields { path, topics }: AliasFields) -> Result<Self, InvalidAlias> {
        let unfit = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'?' | b'#');
        if !path.starts_with('/') || path.bytes().any(unfit) {
            return Err(InvalidAlias::Path(path));
        }
        if topics.is_empty() {
            return Err(InvalidAlias::NoTopics);
        }
        for topic in topics.iter().filter(|topic| *topic != "*") {
            Topic::new(topic).map_err(InvalidAlias::Topic)?;
        }
        Ok(Self { path, topics })
    }
}

impl FromStr for Alias {
    type Err = InvalidAlias;

    fn from_str(text: &str) -> Result<Self, InvalidAlias> {
        let (path, topics) = text.split_once('=').ok_or(InvalidAlias::NoTopics)?;
        Self::try_from(AliasFields { path: path.to_owned(), topics: topics.split(',').map(str::to_owned).collect() })
    }
}

impl fmt::Display for InvalidAlias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTopics => f.write_str("expected a path and at least one topic, such as /sse=news,weather"),
            Self::Path(path) => write!(f, "'{path}' is not a path such as /sse: it begins with '/' and has no query"),
            Self::Topic(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for InvalidAlias {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_a_path_and_topics() {
        let alias: Alias = "/webservice/ServerSent/SentNews=news,weather".parse().unwrap();
        assert_eq!(
            (alias.path(), alias.topics().join(" ")),
            ("/webservice/ServerSent/SentNews", "news weather".into())
        );
        assert_eq!("/all=*".parse::<Alias>().unwrap().topics(), ["*"]);
        // Only the first '=' separates: topics are often URLs.
        assert_eq!("/a=https://x/?b=c".parse::<Alias>().unwrap().topics(), ["https://x/?b=c"]);
    }

    #[test]
    fn what_is_no_alias_is_refused() {
        let path = |path: &str| InvalidAlias::Path(path.to_owned());
        let cases = [
            ("/sse", InvalidAlias::NoTopics),
            ("sse=news", path("sse")),
            ("=news", path("")),
            ("/s?e=news", path("/s?e")),
            ("/é=news", path("/é")),
            ("/sse=", InvalidAlias::Topic(InvalidTopic::Empty)),
            ("/sse=a,,b", InvalidAlias::Topic(InvalidTopic::Empty)),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Alias>(), Err(error), "{text}");
        }
        let unknown = toml::from_str::<Alias>("path = '/sse'\ntopics = ['news']\ntopic = 'x'").unwrap_err();
        assert!(unknown.to_string().contains("unknown field `topic`"), "{unknown}");
        assert!(toml::from_str::<Alias>("path = '/sse'\ntopics = []").is_err());
    }
}
