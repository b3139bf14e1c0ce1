//! The target: the addresses to which subscribers and publishers connect, and the requests that they send.
use crate::{body::Body, pattern::PatternSyntax};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    fmt,
    io::{self, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
};

/// The text in a path that is replaced by the topic.
const TOPIC: &str = "{topic}";
const FORM: &str = "application/x-www-form-urlencoded";

/// A server under load, and the form of the requests to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Target {
    /// The URL to subscribe to a topic.
    pub subscribe: Endpoint,
    /// The URL to subscribe to a pattern, if the server supports patterns.
    pub subscribe_pattern: Option<(Endpoint, PatternSyntax)>,
    /// The URL to publish at; without it, subscribers only listen.
    pub publish: Option<Endpoint>,
    /// The format in which an event is published.
    pub body: Body,
    /// Additional header fields of every request, each as `Name: value`.
    pub headers: Vec<String>,
    /// The text that makes the topics of this run different from those of other runs.
    pub run: String,
}

/// The way in which subscribers select topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Naming {
    /// Subscribers name the topic itself.
    Exact,
    /// Subscribers name a pattern that matches one topic of this run.
    Pattern,
}

/// The address of a server, and a path on this server that may hold `{topic}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// The address to connect to.
    pub address: SocketAddr,
    host: String,
    path: String,
    /// The token that is sent to the endpoint, if there is one.
    token: Option<String>,
}

/// The reason why a text cannot be used as the URL of a target.
#[derive(Debug)]
pub enum InvalidUrl {
    /// The text is not `http://HOST…`.
    NotHttp(String),
    /// The address of the URL's host cannot be found.
    Host(String, io::Error),
}

impl Endpoint {
    /// Reads the URL of an endpoint, which may hold `{topic}` after the host.
    ///
    /// # Errors
    /// [`InvalidUrl`]. An `https` URL is invalid too: instead of a TLS proxy, give the server behind it.
    pub fn parse(url: &str) -> Result<Self, InvalidUrl> {
        let not_http = || InvalidUrl::NotHttp(url.to_owned());
        let rest = url.strip_prefix("http://").ok_or_else(not_http)?;
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if host.is_empty() || host.contains('@') || url.contains(|character: char| character <= ' ') {
            return Err(not_http());
        }
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let socket = if has_port { Cow::from(host) } else { Cow::from(format!("{host}:80")) };
        let mut addresses = socket.to_socket_addrs().map_err(|error| InvalidUrl::Host(host.to_owned(), error))?;
        let address = addresses.next().ok_or_else(not_http)?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = path.split('#').next().unwrap_or_default();
        Ok(Self { address, host: host.to_owned(), path: format!("{slash}{path}"), token: None })
    }

    /// Adds a token, which is sent with every request to this endpoint.
    #[must_use]
    pub fn with_token(mut self, token: Option<&str>) -> Self {
        self.token = token.map(str::to_owned);
        self
    }

    /// Returns the URL of the server without a path.
    #[must_use]
    pub fn server_url(&self) -> String {
        format!("http://{}/", self.host)
    }

    /// Connects to the endpoint.
    ///
    /// # Errors
    /// The errors of [`TcpStream::connect`], with the address.
    pub fn connect(&self) -> io::Result<TcpStream> {
        TcpStream::connect(self.address).map_err(|error| self.unreachable(&error))
    }

    /// Returns `error` with the message that this endpoint, whose address is named, cannot be reached.
    #[must_use]
    pub fn unreachable(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("cannot reach {}: {error}", self.name()))
    }

    /// Returns `error`, which an established connection had, with the connection's purpose and the endpoint's address
    /// in the message.
    #[must_use]
    pub fn broken(&self, purpose: &str, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{purpose} at {}: {error}", self.name()))
    }

    /// Returns the host as it was given, and its address.
    #[must_use]
    pub fn name(&self) -> String {
        let address = self.address.to_string();
        if self.host == address { address } else { format!("{} ({address})", self.host) }
    }

    fn path(&self, topic: &str) -> String {
        self.path.replace(TOPIC, &escaped(topic))
    }
}

impl Target {
    /// Returns all endpoints of the target.
    pub fn endpoints_mut(&mut self) -> impl Iterator<Item = &mut Endpoint> {
        let pattern = self.subscribe_pattern.iter_mut().map(|(endpoint, _)| endpoint);
        [&mut self.subscribe].into_iter().chain(pattern).chain(&mut self.publish)
    }

    /// Returns the name of a topic.
    #[must_use]
    pub fn topic(&self, naming: Naming, number: u32) -> String {
        let run = &self.run;
        match naming {
            Naming::Exact => format!("load-{run}-{number}"),
            Naming::Pattern => format!("https://load.example/{run}/{number}/event"),
        }
    }

    /// Returns the endpoint where subscribers connect.
    ///
    /// # Errors
    /// If subscribers select topics by patterns, and the target has no URL to subscribe to a pattern.
    pub fn subscribe_endpoint(&self, naming: Naming) -> io::Result<&Endpoint> {
        let unknown = || {
            io::Error::new(io::ErrorKind::Unsupported, "there is no known URL to subscribe to patterns on this server")
        };
        match naming {
            Naming::Exact => Ok(&self.subscribe),
            Naming::Pattern => self.subscribe_pattern.as_ref().map(|(endpoint, _)| endpoint).ok_or_else(unknown),
        }
    }

    /// Returns the request of a subscriber, which resumes from `last_event_id` unless that is empty.
    ///
    /// # Errors
    /// As for [`subscribe_endpoint`](Self::subscribe_endpoint).
    pub fn subscribe_request(&self, naming: Naming, topic: u32, last_event_id: &str) -> io::Result<Vec<u8>> {
        let endpoint = self.subscribe_endpoint(naming)?;
        let name = match (naming, &self.subscribe_pattern) {
            (Naming::Pattern, Some((_, syntax))) => syntax.pattern(&self.run, topic),
            _ => self.topic(naming, topic),
        };
        let mut request = Vec::new();
        self.begin(&mut request, "GET", endpoint, &name)?;
        request.extend_from_slice(b"Accept: text/event-stream\r\nCache-Control: no-store\r\n");
        if !last_event_id.is_empty() {
            write!(request, "Last-Event-ID: {last_event_id}\r\n")?;
        }
        request.extend_from_slice(b"\r\n");
        Ok(request)
    }

    /// Writes the request that publishes `data` into `request`, which must be empty.
    ///
    /// # Errors
    /// If the target has no URL to publish at.
    pub fn publish_request(&self, request: &mut Vec<u8>, naming: Naming, topic: u32, data: &str) -> io::Result<()> {
        let endpoint = self.publish_endpoint()?;
        let name = self.topic(naming, topic);
        self.begin(request, "POST", endpoint, &name)?;
        let (media_type, body) = match self.body {
            Body::Data => ("text/plain", Cow::from(data)),
            Body::Form => (FORM, Cow::from(format!("topic={}&data={}", escaped(&name), escaped(data)))),
        };
        write!(request, "Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    /// Returns the endpoint where publishers connect.
    ///
    /// # Errors
    /// If the target has no URL to publish at.
    pub fn publish_endpoint(&self) -> io::Result<&Endpoint> {
        let unknown = || io::Error::new(io::ErrorKind::Unsupported, "there is no URL to publish at");
        self.publish.as_ref().ok_or_else(unknown)
    }

    fn begin(&self, request: &mut Vec<u8>, method: &str, endpoint: &Endpoint, topic: &str) -> io::Result<()> {
        write!(request, "{method} {} HTTP/1.1\r\nHost: {}\r\n", endpoint.path(topic), endpoint.host)?;
        self.headers.iter().try_for_each(|header| write!(request, "{header}\r\n"))?;
        endpoint.token.iter().try_for_each(|token| write!(request, "Authorization: Bearer {token}\r\n"))
    }
}

/// Returns the text with all characters percent-encoded except letters, digits and `-._~`, which are allowed everywhere
/// in a URL.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 4);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => escaped.push(char::from(byte)),
            byte => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

impl fmt::Display for InvalidUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHttp(url) => {
                write!(
                    formatter,
                    "expected http://HOST[:PORT][/PATH], not {url} (if a TLS proxy is in front of the server, give the \
                     address of the server itself)"
                )
            }
            Self::Host(host, error) => write!(formatter, "cannot find {host}: {error}"),
        }
    }
}

impl std::error::Error for InvalidUrl {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    #[test]
    fn an_endpoint_is_a_host_and_a_path() {
        let cases = [
            ("http://127.0.0.1:3000", "127.0.0.1:3000", "/"),
            ("http://127.0.0.1/a?b={topic}", "127.0.0.1:80", "/a?b={topic}"),
            ("http://[::1]:8080?x#y", "[::1]:8080", "/?x"),
            ("http://[::1]/", "[::1]:80", "/"),
        ];
        for (url, address, path) in cases {
            let endpoint = Endpoint::parse(url).unwrap();
            assert_eq!((endpoint.address, endpoint.path.as_str()), (address.parse().unwrap(), path), "{url}");
        }
        for url in ["https://127.0.0.1", "127.0.0.1:3000", "http://", "http://a@127.0.0.1/", "http://127.0.0.1/a b"] {
            assert!(matches!(Endpoint::parse(url), Err(InvalidUrl::NotHttp(_))), "{url}");
        }
    }

    #[test]
    fn requests_are_those_of_the_recipe() {
        let text = |bytes: io::Result<Vec<u8>>| String::from_utf8(bytes.unwrap()).unwrap();
        let mut target = Recipe::Mercure.target("http://127.0.0.1:3000/").unwrap();
        target.run = "7".into();
        target.headers = vec!["X-A: b".into()];
        target.subscribe = target.subscribe.with_token(Some("t"));
        let request = text(target.subscribe_request(Naming::Exact, 2, "#a-1"));
        assert_eq!(
            request,
            "GET /.well-known/mercure?topic=load-7-2 HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nX-A: b\r\nAuthorization: Bearer t\r\n\
             Accept: text/event-stream\r\nCache-Control: no-store\r\nLast-Event-ID: #a-1\r\n\r\n"
        );
        let mut request = Vec::new();
        target.publish_request(&mut request, Naming::Pattern, 2, "1 2").unwrap();
        let request = text(Ok(request));
        let body = "topic=https%3A%2F%2Fload.example%2F7%2F2%2Fevent&data=1%202";
        assert!(!request.contains("Authorization"), "each endpoint has its own: {request}");
        assert!(request.ends_with(&format!("Content-Length: {}\r\n\r\n{body}", body.len())), "{request}");
        let request = text(target.subscribe_request(Naming::Pattern, 2, ""));
        assert!(request.contains("?topic=https%3A%2F%2Fload.example%2F7%2F2%2F%7Bany%7D "), "{request}");
    }
}
