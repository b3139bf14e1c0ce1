//! Relays: event streams of other servers, whose events this hub publishes under its own topics.
use super::list::{self, TextOr};
use crate::quantity::HumanDuration;
use crate::{http::Header, shown::shown_id};
use fanfare_hub::topic::{InvalidTopic, Topic};
use fanfare_mask::masked_url;
use fanfare_server::{hub_path::HUB_PATH, publish::reserved::is_reserved};
use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt, path::PathBuf, str::FromStr, time::Duration};
use url::Url;

/// The smallest allowed idle timeout of a relay. A smaller one would leave the server no time to send something.
const MIN_IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// A relay: the events from `url` are published under `topics`.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Relay {
    /// The URL of the event stream: `http` or `https`, without a user.
    url: Url,
    /// The topics under which the events are published, at least one.
    topics: Vec<String>,
    /// The headers of the request for the event stream.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// True if only subscribers whose token covers a topic receive the events.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub private: bool,
    /// The file with the token that is sent as `Authorization: Bearer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// The event ID after which the stream begins, as long as nothing was relayed yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event_id: Option<String>,
    /// The time of silence after which the relay reconnects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<HumanDuration>,
}

/// A relay as a configuration file has it, not yet checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RelayFields {
    url: String,
    #[serde(deserialize_with = "list::one_or_many")]
    topics: Vec<String>,
    #[serde(default, deserialize_with = "list::one_or_many")]
    headers: Vec<Header>,
    #[serde(default)]
    private: bool,
    token_file: Option<PathBuf>,
    last_event_id: Option<String>,
    idle_timeout: Option<HumanDuration>,
}

/// The reason why a text or a table is not a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidRelay {
    /// There is no `=` between URL and topics, or no topic.
    NoTopics,
    /// The text is not an `http` or `https` URL.
    Url(String),
    /// The URL contains a user or a password. Messages show the URL, so they would show the password too.
    UrlWithUser,
    /// One of the topics is not a valid topic.
    Topic(InvalidTopic),
    /// One of the topics is reserved for the hub itself.
    Reserved(String),
    /// The last event ID contains a line end or NUL.
    LastEventId(String),
    /// The idle timeout is too short.
    IdleTimeout(HumanDuration),
}

impl Relay {
    /// Returns the URL that the events come from.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the topics under which events are published; there is at least one.
    pub(crate) fn topics(&self) -> Vec<Topic> {
        self.topics.iter().map(|topic| Topic::new(topic).expect("the topics are valid in a relay")).collect()
    }

    /// Returns the URL as messages show it, without the query, which often contains keys.
    pub(crate) fn shown_url(&self) -> String {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        masked_url(url.as_str()).into_owned()
    }

    /// Returns the name of the file in which the state of this relay is saved. The name is the same each time the hub
    /// runs, and differs from the file names of other relays.
    pub(crate) fn file_name(&self) -> String {
        let identity = [self.url.as_str(), &self.topics.join("\n")].join("\n");
        // The hash in the name is FNV-1a, because the hashes of the standard library may change from one version to the
        // next.
        let hash = identity
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let host: String = self.url.host_str().unwrap_or_default().chars().take(64).collect();
        let host = host.replace(|character: char| !character.is_ascii_alphanumeric() && character != '.', "_");
        format!("{host}-{hash:016x}")
    }
}

/// Returns two made-up URLs of a hub, one with each scheme, because the URL of this hub is not known while its
/// configuration is read. A topic may be relative to the URL of the hub; whether it is reserved depends on its path,
/// not on the host.
fn hub_urls() -> impl Iterator<Item = Url> {
    ["http", "https"].into_iter().filter_map(|scheme| Url::parse(&format!("{scheme}://hub.invalid{HUB_PATH}")).ok())
}

impl<'de> Deserialize<'de> for Relay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TextOr::<RelayFields, Self>::deserialize(deserializer)
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Relay");
        shown
            .field("url", &masked_url(self.url.as_str()))
            .field("topics", &self.topics)
            .field("headers", &self.headers);
        shown.field("private", &self.private).field("token_file", &self.token_file);
        shown.field("last_event_id", &self.last_event_id).field("idle_timeout", &self.idle_timeout).finish()
    }
}

impl TryFrom<RelayFields> for Relay {
    type Error = InvalidRelay;

    fn try_from(fields: RelayFields) -> Result<Self, InvalidRelay> {
        let url = match Url::parse(&fields.url) {
            Ok(url) if !url.username().is_empty() || url.password().is_some() => return Err(InvalidRelay::UrlWithUser),
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            _ => return Err(InvalidRelay::Url(fields.url)),
        };
        if fields.topics.is_empty() {
            return Err(InvalidRelay::NoTopics);
        }
        for text in &fields.topics {
            let topic = Topic::new(text).map_err(InvalidRelay::Topic)?;
            if text.contains(HUB_PATH) || hub_urls().any(|hub| is_reserved(&hub, &topic)) {
                return Err(InvalidRelay::Reserved(text.clone()));
            }
        }
        if let Some(id) = fields.last_event_id.as_ref().filter(|id| id.contains(['\r', '\n', '\0'])) {
            return Err(InvalidRelay::LastEventId(id.clone()));
        }
        if let Some(timeout) = fields.idle_timeout.filter(|timeout| timeout.0 < MIN_IDLE_TIMEOUT) {
            return Err(InvalidRelay::IdleTimeout(timeout));
        }
        let RelayFields { topics, headers, private, token_file, last_event_id, idle_timeout, .. } = fields;
        Ok(Self { url, topics, headers, private, token_file, last_event_id, idle_timeout })
    }
}

impl FromStr for Relay {
    type Err = InvalidRelay;

    /// Parses `URL=TOPIC[,TOPIC]`. The last `=` separates the URL from the topics, because URLs contain `=` more often
    /// than topics do.
    fn from_str(text: &str) -> Result<Self, InvalidRelay> {
        let (url, topics) = text.rsplit_once('=').ok_or(InvalidRelay::NoTopics)?;
        Self::try_from(RelayFields {
            url: url.to_owned(),
            topics: topics.split(',').map(str::to_owned).collect(),
            headers: Vec::new(),
            private: false,
            token_file: None,
            last_event_id: None,
            idle_timeout: None,
        })
    }
}

impl fmt::Display for InvalidRelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTopics => {
                f.write_str("expected a URL and at least one topic, such as https://example.com/events=news,weather")
            }
            Self::Url(url) => write!(f, "'{}' is not the URL of an event stream (http or https)", masked_url(url)),
            Self::UrlWithUser => f.write_str(
                "a user or password in the URL would be visible; give them in a header, in the configuration file: \
                 headers = [\"Authorization: …\"]",
            ),
            Self::Topic(error) => error.fmt(f),
            Self::Reserved(topic) => write!(f, "the topic '{topic}' is reserved for the hub"),
            Self::LastEventId(id) => write!(f, "the last event ID {} contains a line end or NUL", shown_id(id)),
            Self::IdleTimeout(timeout) => {
                write!(f, "idle-timeout = {timeout} is out of bounds: at least {}", HumanDuration(MIN_IDLE_TIMEOUT))
            }
        }
    }
}

impl std::error::Error for InvalidRelay {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_a_url_and_topics() {
        let relay: Relay = "https://example.com/sse?key=a=news,weather".parse().unwrap();
        assert_eq!(
            (relay.url().as_str(), relay.topics.join(" ")),
            ("https://example.com/sse?key=a", "news weather".into())
        );
        assert_eq!(relay.shown_url(), "https://example.com/sse");
        let names = ["http://h/a=x", "http://h/a=y", "http://h/b=x", "http://[::1]:8/=x"]
            .map(|text| text.parse::<Relay>().unwrap().file_name());
        // The name must never change, because the relay must find the file of an earlier run.
        assert_eq!(names[0], "h-b5c09b4e97a0db63");
        assert!(names[3].starts_with("___1_-"), "{names:?}");
        assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2]);
    }

    #[test]
    fn what_is_no_relay_is_refused() {
        let cases = [
            ("https://example.com/", InvalidRelay::NoTopics),
            ("https://example.com/=", InvalidRelay::Topic(InvalidTopic::Empty)),
            ("https://example.com/=*", InvalidRelay::Topic(InvalidTopic::Wildcard)),
            ("example.com=news", InvalidRelay::Url("example.com".into())),
            ("ftp://example.com/=news", InvalidRelay::Url("ftp://example.com/".into())),
            ("https://me:pw@example.com/=news", InvalidRelay::UrlWithUser),
            ("http://h/=/.well-known/mercure/x", InvalidRelay::Reserved("/.well-known/mercure/x".into())),
            ("http://h/=a,/.well-known/mercur%65/x", InvalidRelay::Reserved("/.well-known/mercur%65/x".into())),
            ("http://h/=mercure/x", InvalidRelay::Reserved("mercure/x".into())),
            ("http://h/=https:mercure", InvalidRelay::Reserved("https:mercure".into())),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Relay>(), Err(error), "{text}");
        }
        let table = |rest: &str| toml::from_str::<Relay>(&format!("url = 'http://h/'\ntopics = ['x']\n{rest}"));
        assert!(
            table("private = true\nheaders = ['A: b']\ntoken-file = 'f'\nlast-event-id = '7'\nidle-timeout = '1s'")
                .is_ok()
        );
        for (rest, wanted) in [
            ("topic = 'x'", "unknown field `topic`"),
            ("headers = ['A']", "expected a name and a value"),
            ("idle-timeout = '999ms'", "idle-timeout = 999ms is out of bounds: at least 1s"),
            ("last-event-id = \"a\\nb\"", "contains a line end or NUL"),
        ] {
            let error = table(rest).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
