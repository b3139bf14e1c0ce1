//! The URL of a hub, and the URLs for requests to its topic API.
use super::{RewindQuery, corrected};
use crate::quantity::{HumanDuration, Invalid};
use fanfare_hub::{topic::Topic, update::MAX_RETRY_MS};
use hyper::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{env, fmt, str::FromStr, time::Duration};
use url::{Host, Url, form_urlencoded};

/// The characters that are percent-encoded when a topic becomes a part of a path. Unreserved characters, `/`, `:` and
/// `@` are not encoded, so that topics that are URLs stay readable.
const TOPIC_ESCAPES: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b':').remove(b'@');

/// The URL under which a hub is reached: `http` or `https`, a host, perhaps a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HubUrl(Url);

/// The name of the environment variable with the URL of the hub.
pub(crate) const VARIABLE: &str = "FANFARE_HUB";
/// The URL of the hub if neither `--hub` nor the environment gives one.
pub(crate) const DEFAULT: &str = "http://127.0.0.1:3000";
/// The length of the longest URL that the HTTP library accepts, in bytes.
pub(crate) const MAX_URL_BYTES: usize = u16::MAX as usize - 1;

/// The reason why a text is not the URL of a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InvalidHubUrl {
    /// The text is not a URL.
    Unreadable,
    /// The URL has no scheme. The field is the URL that was probably meant.
    NoScheme(String),
    /// The scheme of the URL is mistyped, or that of a WebSocket. The field is the URL that was probably meant.
    Mistyped(String),
    /// The URL contains a user or a password.
    User,
    /// The URL leads to an endpoint of the hub, such as that of a topic, and not to the hub itself. The field is the
    /// URL of the hub itself.
    Within(String),
}

/// Paths of a hub's endpoints. A user who gives a URL with such a path means the hub itself.
const PATHS_OF_A_HUB: [&str; 2] = ["/.well-known/mercure", "/topics"];

/// The error for a URL that would be longer than [`MAX_URL_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UrlTooLong {
    /// The length that the URL would have.
    pub bytes: usize,
}

/// The fields of an update that is published, other than its topic and its data.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct PublishQuery {
    /// Event type, for which pages listen with addEventListener [default: message]
    #[arg(long = "type", value_name = "TYPE")]
    pub event_type: Option<String>,

    /// ID of the update [default: the hub makes one]
    #[arg(long)]
    pub id: Option<String>,

    /// Time after which subscribers reconnect when the connection is lost, at most 1d
    #[arg(long, value_name = "DURATION", value_parser = retry)]
    pub retry: Option<HumanDuration>,

    /// Time after which the update expires, such as 10m: subscribers that connect later do not get it. Subscribers that
    /// are connected get it at once [default: never]
    #[arg(long, value_name = "DURATION")]
    pub ttl: Option<HumanDuration>,

    /// Deliver only to subscribers whose token covers the topic
    #[arg(long)]
    pub private: bool,
}

impl HubUrl {
    /// Returns the URL of the hub from the environment, or else [`DEFAULT`]. Commands without the option `--hub` use
    /// it.
    ///
    /// # Errors
    /// [`InvalidHubUrl`] if the value of the variable is not the URL of a hub.
    pub(crate) fn of_environment() -> Result<Self, InvalidHubUrl> {
        env::var(VARIABLE).ok().filter(|url| !url.is_empty()).as_deref().unwrap_or(DEFAULT).parse()
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the address to which updates of `topic` are published.
    ///
    /// # Errors
    /// [`UrlTooLong`] if the address is longer than [`MAX_URL_BYTES`].
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
        if let Some(ttl) = query.ttl {
            pairs.append_pair("ttl", &ttl.to_string());
        }
        if query.private {
            pairs.append_key_only("private");
        }
        self.join(&format!("topics/{}", utf8_percent_encode(topic, TOPIC_ESCAPES)), &pairs.finish())
    }

    /// Returns the URL `publish` with the parameter `id-prefix`. It tells the hub to give the update from each line of
    /// the body an ID that begins with `prefix`.
    ///
    /// # Errors
    /// [`UrlTooLong`] if the address is longer than [`MAX_URL_BYTES`].
    pub(crate) fn with_id_prefix(publish: &Uri, prefix: &str) -> Result<Uri, UrlTooLong> {
        let joint = if publish.query().is_some() { '&' } else { '?' };
        let prefix: String = form_urlencoded::byte_serialize(prefix.as_bytes()).collect();
        let url = format!("{publish}{joint}id-prefix={prefix}");
        if url.len() > MAX_URL_BYTES {
            return Err(UrlTooLong { bytes: url.len() });
        }
        Ok(url.parse().expect("a URL followed by escaped text is a URL"))
    }

    /// Returns the address for publishing updates, each of which has all of `topics`.
    ///
    /// # Errors
    /// [`UrlTooLong`] if the address is longer than [`MAX_URL_BYTES`].
    pub(crate) fn publish_all(&self, topics: &[Topic], private: bool) -> Result<Uri, UrlTooLong> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(topics.iter().map(|topic| ("topic", topic.as_str())));
        if private {
            pairs.append_key_only("private");
        }
        self.join("topics", &pairs.finish())
    }

    /// Returns the address of the stored updates of `topics`: the hub sends all updates in its log that have any of
    /// these topics, and then ends the answer.
    ///
    /// # Errors
    /// [`UrlTooLong`] if the address is longer than [`MAX_URL_BYTES`].
    pub(crate) fn replay(&self, topics: &[Topic]) -> Result<Uri, UrlTooLong> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(topics.iter().map(|topic| ("topic", topic.as_str())));
        self.join("topics", &pairs.append_pair("until", "now").finish())
    }

    /// Returns the address of a stream of updates of any of `topics`. Each update is in an envelope that names its
    /// topics and time. The stream begins as `rewind` says.
    ///
    /// # Errors
    /// [`UrlTooLong`] if the address is longer than [`MAX_URL_BYTES`].
    pub(crate) fn subscribe(&self, topics: &[String], rewind: &RewindQuery) -> Result<Uri, UrlTooLong> {
        let mut pairs = form_urlencoded::Serializer::new(String::new());
        pairs.extend_pairs(topics.iter().map(|topic| ("topic", topic)));
        rewind.append_to(&mut pairs);
        self.join("topics", &pairs.append_key_only("envelope").finish())
    }

    /// Appends a path and a query to the URL of the hub. Does not use [`Url::join`], which would resolve a topic such
    /// as `a/../b`.
    fn join(&self, path: &str, query: &str) -> Result<Uri, UrlTooLong> {
        let base = self.0.as_str().trim_end_matches('/');
        let question = if query.is_empty() { "" } else { "?" };
        let url = format!("{base}/{path}{question}{query}");
        if url.len() > MAX_URL_BYTES {
            return Err(UrlTooLong { bytes: url.len() });
        }
        Ok(url.parse().expect("a URL followed by escaped text is a URL"))
    }
}

impl FromStr for HubUrl {
    type Err = InvalidHubUrl;

    /// Parses the URL of a hub. For a hub on this machine, an address without a scheme is enough, such as
    /// `localhost:3000` or `:3000`: nobody else can read the traffic, so `http` is safe.
    fn from_str(text: &str) -> Result<Self, InvalidHubUrl> {
        let text = text.trim();
        if let Some(meant) = corrected(text) {
            return Err(InvalidHubUrl::Mistyped(meant));
        }
        if !text.contains("://") {
            return of_address(text);
        }
        let url = Url::parse(text).map_err(|_| InvalidHubUrl::Unreadable)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidHubUrl::User);
        }
        let is_web = matches!(url.scheme(), "http" | "https");
        if !is_web || url.query().is_some() || url.fragment().is_some() || url.as_str().parse::<Uri>().is_err() {
            return Err(InvalidHubUrl::Unreadable);
        }
        for path in PATHS_OF_A_HUB {
            if let Some((before, rest)) = url.path().split_once(path)
                && (rest.is_empty() || rest.starts_with('/'))
            {
                let mut hub = url.clone();
                hub.set_path(before);
                return Err(InvalidHubUrl::Within(hub.to_string()));
            }
        }
        Ok(Self(url))
    }
}

/// Parses the reconnection time of an update. The hub would refuse an update with a longer time.
fn retry(text: &str) -> Result<HumanDuration, String> {
    let retry: HumanDuration = text.parse().map_err(|error: Invalid<HumanDuration>| error.to_string())?;
    let most = HumanDuration(Duration::from_millis(MAX_RETRY_MS));
    if retry <= most { Ok(retry) } else { Err(format!("{retry} is out of bounds: at most {most}")) }
}

/// Parses an address without a scheme as the URL of a hub. The hub must be on this machine.
fn of_address(text: &str) -> Result<HubUrl, InvalidHubUrl> {
    let address = match text.strip_prefix(':').unwrap_or(text) {
        port if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => format!("127.0.0.1:{port}"),
        _ => text.to_owned(),
    };
    if address.contains('@') {
        return Err(InvalidHubUrl::User);
    }
    let guess = format!("http://{address}");
    let Ok(hub) = guess.parse::<HubUrl>() else { return Err(InvalidHubUrl::Unreadable) };
    let is_here = match hub.0.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if is_here { Ok(hub) } else { Err(InvalidHubUrl::NoScheme(guess)) }
}

impl fmt::Display for InvalidHubUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("expected the URL of a hub, such as http://127.0.0.1:3000"),
            Self::NoScheme(meant) => {
                write!(f, "expected the URL of a hub: did you mean {meant}, or the same with https?")
            }
            Self::Mistyped(meant) => write!(f, "expected the URL of a hub: did you mean {meant}?"),
            Self::User => f.write_str(
                "expected the URL of a hub, without user and password: to authenticate, give a token in FANFARE_TOKEN",
            ),
            Self::Within(hub) => write!(f, "expected the URL of the hub itself: did you mean {hub}?"),
        }
    }
}

impl fmt::Display for UrlTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the URL with the topics and options has {} bytes, {MAX_URL_BYTES} are allowed", self.bytes)
    }
}

impl std::error::Error for InvalidHubUrl {}
impl std::error::Error for UrlTooLong {}

#[cfg(test)]
mod tests {
    use super::*;

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
            ttl: Some(HumanDuration(Duration::from_secs(600))),
            private: true,
        };
        let uri = hub.publish("t", &query).unwrap();
        assert_eq!(uri.query(), Some("type=a%26b&id=7+%C3%A9&retry=2000&ttl=10m&private"));
        for (uri, with_prefix) in [
            ("http://h/topics/t", "http://h/topics/t?id-prefix=a%23+1."),
            ("http://h/topics/t?private", "http://h/topics/t?private&id-prefix=a%23+1."),
        ] {
            assert_eq!(HubUrl::with_id_prefix(&Uri::from_static(uri), "a# 1.").unwrap(), with_prefix);
        }
        let uri = hub.subscribe(&["a".into(), "*".into(), "x&y".into()], &RewindQuery::default()).unwrap();
        assert_eq!(uri.to_string(), "http://h/topics?topic=a&topic=*&topic=x%26y&envelope");
        let since = "2026-01-31T13:00:00+01:00".parse().unwrap();
        for (rewind, query) in [
            (RewindQuery { last: Some(2), since: None }, "topic=a&last=2&envelope"),
            (RewindQuery { last: None, since: Some(since) }, "topic=a&since=2026-01-31T12%3A00%3A00Z&envelope"),
        ] {
            assert_eq!(hub.subscribe(&["a".into()], &rewind).unwrap().query(), Some(query));
        }
        let topics = ["a", "x&y"].map(|topic| Topic::new(topic).unwrap());
        assert_eq!(hub.publish_all(&topics, true).unwrap().to_string(), "http://h/topics?topic=a&topic=x%26y&private");
        assert_eq!(hub.replay(&topics).unwrap().to_string(), "http://h/topics?topic=a&topic=x%26y&until=now");
    }

    #[test]
    fn a_reconnection_time_has_a_bound() {
        assert_eq!(retry("24h"), Ok(HumanDuration(Duration::from_millis(MAX_RETRY_MS))));
        assert_eq!(retry("24h 1ms").unwrap_err(), "86400001ms is out of bounds: at most 1d");
        assert!(retry("soon").unwrap_err().contains("a duration such as"));
    }

    #[test]
    fn a_hub_on_this_machine_needs_no_scheme() {
        for (text, url) in [
            ("localhost:3000", "http://localhost:3000/"),
            ("127.0.0.1:3000", "http://127.0.0.1:3000/"),
            ("[::1]:3000", "http://[::1]:3000/"),
            (":3000", "http://127.0.0.1:3000/"),
            ("3000", "http://127.0.0.1:3000/"),
            ("localhost", "http://localhost/"),
        ] {
            assert_eq!(text.parse::<HubUrl>().map(|hub| hub.0.to_string()).as_deref(), Ok(url), "{text}");
        }
    }

    #[test]
    fn a_url_has_a_longest_length() {
        let hub: HubUrl = "http://h".parse().unwrap();
        let publish = |bytes| hub.publish(&"x".repeat(bytes), &PublishQuery::default());
        let rest = "http://h/topics/".len();
        assert!(publish(MAX_URL_BYTES - rest).is_ok());
        assert_eq!(publish(MAX_URL_BYTES - rest + 1), Err(UrlTooLong { bytes: MAX_URL_BYTES + 1 }));
        assert!(hub.subscribe(&["é".repeat(30_000)], &RewindQuery::default()).is_err());
    }

    #[test]
    fn what_is_no_hub_is_refused() {
        let without_scheme = |url: &str| InvalidHubUrl::NoScheme(url.to_owned());
        let within = |url: &str| InvalidHubUrl::Within(url.to_owned());
        for (text, error) in [
            ("", InvalidHubUrl::Unreadable),
            ("ftp://h", InvalidHubUrl::Unreadable),
            ("http://", InvalidHubUrl::Unreadable),
            ("http://h/?a", InvalidHubUrl::Unreadable),
            ("http://h#a", InvalidHubUrl::Unreadable),
            ("65536", InvalidHubUrl::Unreadable),
            ("ws://h/", InvalidHubUrl::Mistyped("http://h/".into())),
            ("http;//h", InvalidHubUrl::Mistyped("http://h or https://h".into())),
            ("http://me:pw@h/", InvalidHubUrl::User),
            ("http://me@h/", InvalidHubUrl::User),
            ("me:pw@localhost:3000", InvalidHubUrl::User),
            ("h", without_scheme("http://h")),
            ("hub.example.com:3000", without_scheme("http://hub.example.com:3000")),
            ("192.168.1.2:3000", without_scheme("http://192.168.1.2:3000")),
            ("http://h/topics/news", within("http://h/")),
            ("https://h/hub/.well-known/mercure", within("https://h/hub")),
        ] {
            assert_eq!(text.parse::<HubUrl>(), Err(error), "{text}");
        }
        assert!("http://h/topicsandmore".parse::<HubUrl>().is_ok());
    }
}
