//! The addresses of a hub's topic API.
use fanfare_hub::topic::Topic;
use hyper::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{env, fmt, str::FromStr};
use url::{Url, form_urlencoded};

/// What stands for itself in a path: unreserved characters, and those that make topics that are URLs readable.
const TOPIC_ESCAPES: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':').remove(b'@');

/// The URL under which a hub is reached: `http` or `https`, a host, perhaps a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HubUrl(Url);

/// The variable that names the hub.
pub(crate) const VARIABLE: &str = "FANFARE_HUB";
/// The hub where nothing names another.
pub(crate) const DEFAULT: &str = "http://127.0.0.1:3000";
/// The longest URL, in bytes: what the HTTP library can hold.
pub(crate) const MAX_URL_BYTES: usize = u16::MAX as usize - 1;

/// The text is no URL of a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidHubUrl;

/// A URL would be longer than [`MAX_URL_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UrlTooLong {
    /// How long it would be.
    pub bytes: usize,
}

/// What a publication says beside its topic and data.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct PublishQuery {
    /// Event type, for which pages listen with addEventListener [default: message]
    #[arg(long = "type", value_name = "TYPE")]
    pub event_type: Option<String>,

    /// ID of the update; the hub makes one otherwise
    #[arg(long)]
    pub id: Option<String>,

    /// Time after which subscribers reconnect when the connection is lost
    #[arg(long, value_name = "DURATION")]
    pub retry: Option<crate::config::HumanDuration>,

    /// Deliver only to subscribers whose token covers the topic
    #[arg(long)]
    pub private: bool,
}

impl HubUrl {
    /// The hub that the environment names, for commands that have no flag for it.
    ///
    /// # Errors
    /// [`InvalidHubUrl`] if that is no URL of a hub.
    pub(crate) fn of_environment() -> Result<Self, InvalidHubUrl> {
        env::var(VARIABLE).ok().filter(|url| !url.is_empty()).as_deref().unwrap_or(DEFAULT).parse()
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Where updates of `topic` are published.
    ///
    /// # Errors
    /// [`UrlTooLong`].
    pub(crate) fn publish(&self, topic: &str, query: &PublishQuery) -> Result<Uri, UrlTooLong> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        if let Some(event_type) = &query.event_type {
            pairs.append_pair("type", event_type);
        }
        if let Some(id) = &query.id {
            pairs.append_pair("id", id);
        }
        if let Some(retry) = query.retry {
            pairs.append_pair("retry", &retry.0.as_millis().to_string());
        }
        if query.private {
            pairs.append_key_only("private");
        }
        self.join(&format!("topics/{}", utf8_percent_encode(topic, TOPIC_ESCAPES)), &pairs.finish())
    }

    /// Where updates of all of `topics` together are published.
    ///
    /// # Errors
    /// [`UrlTooLong`].
    pub(crate) fn publish_all(&self, topics: &[Topic], private: bool) -> Result<Uri, UrlTooLong> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(topics.iter().map(|topic| ("topic", topic.as_str())));
        if private {
            pairs.append_key_only("private");
        }
        self.join("topics", &pairs.finish())
    }

    /// Where one gets what the hub holds of any of `topics`, and no more.
    ///
    /// # Errors
    /// [`UrlTooLong`].
    pub(crate) fn replay(&self, topics: &[Topic]) -> Result<Uri, UrlTooLong> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(topics.iter().map(|topic| ("topic", topic.as_str())));
        self.join("topics", &pairs.append_pair("until", "now").finish())
    }

    /// Where updates of any of `topics` are received, each in an envelope that names its topics and time.
    ///
    /// # Errors
    /// [`UrlTooLong`].
    pub(crate) fn subscribe(&self, topics: &[String]) -> Result<Uri, UrlTooLong> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(topics.iter().map(|topic| ("topic", topic)));
        self.join("topics", &pairs.append_key_only("envelope").finish())
    }

    /// Not through [`Url::join`], which would resolve a topic such as `a/../b`.
    fn join(&self, path: &str, query: &str) -> Result<Uri, UrlTooLong> {
        let base = self.0.as_str().trim_end_matches('/');
        let question = if query.is_empty() { "" } else { "?" };
        let url = format!("{base}/{path}{question}{query}");
        if url.len() > MAX_URL_BYTES {
            return Err(UrlTooLong { bytes: url.len() });
        }
        Ok(url.parse().expect("a URL and escaped text"))
    }
}

impl FromStr for HubUrl {
    type Err = InvalidHubUrl;

    fn from_str(text: &str) -> Result<Self, InvalidHubUrl> {
        let url = Url::parse(text).map_err(|_| InvalidHubUrl)?;
        let plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let web = matches!(url.scheme(), "http" | "https") && url.password().is_none();
        if plain && web && url.as_str().parse::<Uri>().is_ok() { Ok(Self(url)) } else { Err(InvalidHubUrl) }
    }
}

impl fmt::Display for InvalidHubUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected the URL of a hub, such as http://127.0.0.1:3000")
    }
}

impl fmt::Display for UrlTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "topics and options make a URL of {} bytes; {MAX_URL_BYTES} are allowed", self.bytes)
    }
}

impl std::error::Error for InvalidHubUrl {}
impl std::error::Error for UrlTooLong {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HumanDuration;
    use std::time::Duration;

    #[test]
    fn a_topic_goes_into_the_path_as_it_is() {
        let cases = [
            ("http://127.0.0.1:3000", "news", "http://127.0.0.1:3000/topics/news"),
            ("https://example.com/hub/", "a b/c", "https://example.com/hub/topics/a%20b/c"),
            ("http://h", "https://x/?b=c#d", "http://h/topics/https://x/%3Fb%3Dc%23d"),
            ("http://h", "a/../b/%2F/é", "http://h/topics/a/../b/%252F/%C3%A9"),
            ("http://h", "/", "http://h/topics//"),
        ];
        for (hub, topic, uri) in cases {
            let hub: HubUrl = hub.parse().unwrap();
            assert_eq!(hub.publish(topic, &PublishQuery::default()).unwrap().to_string(), uri);
        }
    }

    #[test]
    fn the_query_holds_the_rest() {
        let hub: HubUrl = "http://h".parse().unwrap();
        let query = PublishQuery {
            event_type: Some("a&b".into()),
            id: Some("7 é".into()),
            retry: Some(HumanDuration(Duration::from_secs(2))),
            private: true,
        };
        let uri = hub.publish("t", &query).unwrap();
        assert_eq!(uri.query(), Some("type=a%26b&id=7+%C3%A9&retry=2000&private"));
        let uri = hub.subscribe(&["a".into(), "*".into(), "x&y".into()]).unwrap();
        assert_eq!(uri.to_string(), "http://h/topics?topic=a&topic=*&topic=x%26y&envelope");
        let topics = ["a", "x&y"].map(|topic| Topic::new(topic).unwrap());
        assert_eq!(hub.publish_all(&topics, true).unwrap().to_string(), "http://h/topics?topic=a&topic=x%26y&private");
        assert_eq!(hub.replay(&topics).unwrap().to_string(), "http://h/topics?topic=a&topic=x%26y&until=now");
    }

    #[test]
    fn what_is_no_hub_is_refused() {
        for text in ["", "127.0.0.1:3000", "ftp://h", "http://", "http://h/?a", "http://h#a", "http://me:pw@h/"] {
            assert_eq!(text.parse::<HubUrl>(), Err(InvalidHubUrl), "{text}");
        }
    }

    #[test]
    fn a_url_has_a_longest_length() {
        let hub: HubUrl = "http://h".parse().unwrap();
        let publish = |bytes| hub.publish(&"x".repeat(bytes), &PublishQuery::default());
        let rest = "http://h/topics/".len();
        assert!(publish(MAX_URL_BYTES - rest).is_ok());
        assert_eq!(publish(MAX_URL_BYTES - rest + 1), Err(UrlTooLong { bytes: MAX_URL_BYTES + 1 }));
        assert!(hub.subscribe(&["é".repeat(30_000)]).is_err());
    }
}
