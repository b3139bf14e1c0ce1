//! The builder of an event source.
use crate::{
    Acknowledge, Attempt, BoxError, Clock, CookieJar, EventSource, HookError, Masked, Reconnect, Store, TokioClock,
    Verdict,
    driver::{BeforeAttempt, Driver, OnResponse, Outside},
    keeper::Keeper,
    masked::mask_text,
    session::{Progress, Rules, Session},
    target::{self, Target},
    transport::{Erased, RequestBody, erase},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use fanfare_event_stream::{EventId, Limits, Parser};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, PRAGMA},
};
use percent_encoding::percent_decode_str;
use std::{fmt, future::Future, sync::Arc, time::Duration};
use tower_service::Service;
use url::Url;

/// The time within which the head of a response must have come, including the time to connect. Many servers send the
/// head only with the first event, and a language model may think for minutes before its first word. Browsers and curl
/// wait even longer.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// The number of headers that this crate and the transport may add to the headers of the program.
const MORE_HEADERS: usize = 32;
/// The greatest number of characters of an unusable argument that an error shows.
const MAX_TOLD_CHARS: usize = 200;
/// The default for the greatest number of redirects that one attempt follows. Browsers have the same limit.
const MAX_REDIRECTS: u8 = 20;

/// Builds an [`EventSource`]. [`build`](Self::build) returns the error if an argument cannot be used.
#[must_use]
pub struct Builder {
    url: Result<Url, BuildError>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
    error: Option<BuildError>,
    last_event_id: Option<EventId>,
    store: Option<Arc<dyn Store>>,
    acknowledge: Acknowledge,
    limits: Limits,
    events_without_data: bool,
    transport: Option<Box<dyn Erased>>,
    before_attempt: Option<Box<BeforeAttempt>>,
    on_response: Option<Box<OnResponse>>,
    reconnect: Reconnect,
    repeat: Option<bool>,
    connect_timeout: Option<Duration>,
    response_timeout: Duration,
    idle_timeout: Option<Duration>,
    max_redirects: u8,
    clock: Option<Arc<dyn Clock>>,
    cookies: Option<CookieJar>,
    skip_large_events: bool,
    unfinished_events: bool,
    blocks: bool,
}

/// An argument of a [`Builder`] that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The text is not a URL, or the URL is not `http` or `https`, or it has no host, or it is longer than any request
    /// allows (64 KiB). Browsers throw a `SyntaxError`. The value is the first 200 characters of the text, without
    /// parts that may be secret.
    Url(String),
    /// The name or the value of a header contains characters that are not allowed in a header.
    Header {
        /// The first 200 characters of the header's name.
        name: String,
    },
    /// The program has set more headers than any request can have. The limit is tens of thousands.
    TooManyHeaders,
    /// The method is `CONNECT`, which opens a tunnel and brings no stream.
    Method,
    /// The user name contains a colon, which separates it from the password.
    User,
    /// The last event ID contains CR, LF or NUL. The value is its first 200 characters.
    LastEventId(String),
    /// There is no transport: the feature `hyper` is off, and the program has set none.
    NoTransport,
}

impl Builder {
    pub(crate) fn new(url: &str) -> Self {
        let refused = || BuildError::Url(mask_text(url));
        let parsed = Url::parse(url).map_err(|_| refused()).and_then(|url| match target::uri(&url) {
            Ok(_) => Ok(url),
            Err(target::NotAskable) => Err(refused()),
        });
        Self {
            url: parsed,
            method: Method::GET,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            error: None,
            last_event_id: None,
            store: None,
            acknowledge: Acknowledge::default(),
            limits: Limits::default(),
            events_without_data: false,
            transport: None,
            before_attempt: None,
            on_response: None,
            reconnect: Reconnect::default(),
            repeat: None,
            connect_timeout: None,
            response_timeout: RESPONSE_TIMEOUT,
            idle_timeout: None,
            max_redirects: MAX_REDIRECTS,
            clock: None,
            cookies: None,
            skip_large_events: false,
            unfinished_events: false,
            blocks: false,
        }
    }

    /// Sets the method. Default: `GET`. For methods that are not safe, such as `POST`, see
    /// [`repeat_requests`](Self::repeat_requests).
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sets a header, and replaces one of the same name. Default: `Accept: text/event-stream`,
    /// `Cache-Control: no-cache`, `Pragma: no-cache`, and the headers that the transport adds.
    pub fn header<V: TryInto<HeaderValue>>(mut self, name: impl AsRef<str>, value: V) -> Self {
        match (HeaderName::try_from(name.as_ref()), value.try_into()) {
            (Ok(name), Ok(value)) => self.insert(name, value),
            _ => self.fail(BuildError::Header { name: short(name.as_ref()) }),
        }
        self
    }

    /// Sets these headers, and replaces those of the same names.
    ///
    /// If the server redirects to another origin (scheme, host or port), headers that identify the sender are not sent
    /// there. Such headers are `Authorization`, `Cookie`, `Proxy-Authorization`, headers whose value is marked as
    /// sensitive, and headers whose name says that the value is a key, a token or another secret, such as `X-Api-Key`.
    /// All other headers are sent, and also the body, if the status of the redirect keeps it (307, 308).
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        let mut last = None;
        for (name, value) in headers {
            match (name, &last) {
                (Some(name), _) => {
                    self.insert(name.clone(), value);
                    last = Some(name);
                }
                (None, Some(name)) => {
                    if self.headers.try_append(name.clone(), value).is_err() {
                        self.fail(BuildError::TooManyHeaders);
                    }
                }
                (None, None) => {}
            }
        }
        self
    }

    fn insert(&mut self, name: HeaderName, value: HeaderValue) {
        if self.headers.try_insert(name, value).is_err() {
            self.fail(BuildError::TooManyHeaders);
        }
    }

    fn fail(&mut self, error: BuildError) {
        self.error.get_or_insert(error);
    }

    /// Sets `Authorization: Bearer token`.
    pub fn bearer(mut self, token: impl AsRef<str>) -> Self {
        match HeaderValue::try_from(format!("Bearer {}", token.as_ref())) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.insert(AUTHORIZATION, value);
            }
            Err(_) => self.fail(BuildError::Header { name: AUTHORIZATION.to_string() }),
        }
        self
    }

    /// Sets `Authorization: Basic`, from a user name without a colon and a password ([RFC
    /// 7617](https://www.rfc-editor.org/rfc/rfc7617)). The URL may contain the user name and the password instead.
    pub fn basic(mut self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        if user.as_ref().contains(':') {
            self.fail(BuildError::User);
        } else {
            self.insert(AUTHORIZATION, basic(user.as_ref().as_bytes(), password.as_ref().as_bytes()));
        }
        self
    }

    /// Keeps the cookies that responses and redirects set, and sends them back. Default: no cookies are kept. If the
    /// program sets a `Cookie` header with [`header`](Self::header), the cookies of the jar are added after the value
    /// of this header.
    pub fn cookies(mut self, jar: CookieJar) -> Self {
        self.cookies = Some(jar);
        self
    }

    /// Sets the body of the request. Default: none. Also set the header `Content-Type`.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Starts after the event with this ID. Default: the ID in the [`store`](Self::store), or none.
    pub fn last_event_id(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        match EventId::new(id.as_str()) {
            Ok(id) => self.last_event_id = Some(id),
            Err(_) => self.fail(BuildError::LastEventId(short(&id))),
        }
        self
    }

    /// Saves the last event ID of the events that the program has dealt with, and starts from the saved ID. Default: no
    /// store.
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the moment from which an event counts as dealt with. Default: [`Acknowledge::OnNext`].
    pub fn acknowledge(mut self, when: Acknowledge) -> Self {
        self.acknowledge = when;
        self
    }

    /// Sets the policy by which the event source reconnects. Default: [`Reconnect::spec`].
    pub fn reconnect(mut self, policy: Reconnect) -> Self {
        self.reconnect = policy;
        self
    }

    /// Sets whether the request is sent again when a connection has ended. Default: only if its method is safe, such as
    /// `GET`. If the request is not sent again, the event source ends when the response ends, unless a hook asks for
    /// another attempt.
    pub fn repeat_requests(mut self, repeat: bool) -> Self {
        self.repeat = Some(repeat);
        self
    }

    /// Sets the longest time for connecting: for name resolution, TCP, a proxy and TLS together. The time begins anew
    /// for each redirect. Default: the connect timeout of the transport, which is 30 s for `HyperTransport`. Only
    /// `HyperTransport` uses this setting. For `ReqwestTransport`, set the connect timeout of the `reqwest` client. The
    /// time is measured by tokio's clock, even if [`clock`](Self::clock) sets another one.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = Some(timeout);
        self
    }

    /// Sets the time within which the head of a response has to come, including the time to connect. The time begins
    /// anew for each redirect. Default: 5 minutes, since a server may send the head only with the first event.
    /// [`Duration::MAX`] means no limit.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// Reconnects when nothing has come for this long, not even a comment. Only the time in which the program waits for
    /// the stream counts, not the time in which it deals with an event. Default: never, so a connection that broke
    /// silently may not be noticed. If the server sends comments at an interval, two or three times this interval is a
    /// good timeout.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// Sets the largest event that is accepted. Default: 16 MiB of data; see [`Limits`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Also returns events that have a type or an ID but no data: their data is the empty text. Default: `false`,
    /// because the standard drops them.
    pub fn events_without_data(mut self, given: bool) -> Self {
        self.events_without_data = given;
        self
    }

    /// Skips an event that is larger than the [`limits`](Self::limits), and reports it as
    /// [`Warning::EventSkipped`](crate::Warning::EventSkipped). Default: `false`, so such an event ends the event
    /// source. A skipped event takes no memory. Its ID becomes the last event ID, so the server does not send the event
    /// again.
    pub fn skip_large_events(mut self, skipped: bool) -> Self {
        self.skip_large_events = skipped;
        self
    }

    /// Returns the last event of a response even if the response ends without the blank line after this event, for
    /// servers that omit this line. Default: `false`: the standard drops such an event, since it may be incomplete.
    /// Because the event may be incomplete, its ID is ignored, so after a reconnection the server sends the event
    /// again. If the last line has no line end, this line may be incomplete, too: a line of data is used as it has
    /// arrived, and a type or a reconnection time is ignored. If the connection broke off, the unfinished event is
    /// always dropped.
    pub fn unfinished_events(mut self, given: bool) -> Self {
        self.unfinished_events = given;
        self
    }

    /// Returns blocks without data, which are not events, as [`Signal::Block`](crate::Signal::Block). A program that
    /// forwards a stream needs these blocks in order to lose nothing. Default: `false`. The IDs and reconnection times
    /// in such blocks always take effect, even if the blocks are not returned.
    pub fn blocks(mut self, given: bool) -> Self {
        self.blocks = given;
        self
    }

    /// Sets the greatest number of redirects that one attempt follows. Default: 20.
    pub fn max_redirects(mut self, limit: u8) -> Self {
        self.max_redirects = limit;
        self
    }

    /// Calls `hook` before each attempt. The hook may change the request: set a new token, or a cursor in the query.
    pub fn before_attempt<F, R>(mut self, hook: F) -> Self
    where
        F: Fn(Attempt) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Attempt, HookError>> + Send + 'static,
    {
        self.before_attempt = Some(Box::new(move |attempt| Box::pin(hook(attempt))));
        self
    }

    /// Calls `hook` with the head of each response that is not a redirect. The hook decides what the response means.
    pub fn on_response<F>(mut self, hook: F) -> Self
    where
        F: Fn(&http::response::Parts) -> Verdict + Send + Sync + 'static,
    {
        self.on_response = Some(Box::new(hook));
        self
    }

    /// Sets the transport, which sends requests. Default: a new `HyperTransport`, with the feature `hyper`. To share
    /// connections and TLS sessions, give several event sources clones of one transport; they must run on one runtime.
    pub fn transport<S, B>(mut self, service: S) -> Self
    where
        S: Service<Request<RequestBody>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        self.transport = Some(erase(service));
        self
    }

    /// Sets the clock. Default: [`TokioClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Makes the event source. It does nothing until it is polled.
    ///
    /// # Errors
    /// [`BuildError`] if an argument cannot be used.
    pub fn build(mut self) -> Result<EventSource, BuildError> {
        let url = self.url?;
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.method == Method::CONNECT {
            return Err(BuildError::Method);
        }
        // A header map has a greatest size. This check ensures that the headers that are added later still fit: the
        // default headers, the last event ID, the cookies, and the headers of the transport.
        self.headers.try_reserve(MORE_HEADERS).map_err(|_| BuildError::TooManyHeaders)?;
        add_defaults(&mut self.headers, &url);
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport()?,
        };
        let mut parser = Parser::with_limits(self.limits).with_blocks();
        if self.skip_large_events {
            parser = parser.with_large_events_skipped();
        }
        if self.events_without_data {
            parser = parser.with_events_without_data();
        }
        if let Some(id) = &self.last_event_id {
            parser = parser.resuming_from(id);
        }
        let rules = Rules {
            repeat: self.repeat.unwrap_or_else(|| self.method.is_safe() || self.method.as_str() == "QUERY"),
            target: Target { method: self.method, url, headers: self.headers, body: self.body },
            reconnect: self.reconnect,
            asks_hook: self.before_attempt.is_some(),
            response_timeout: self.response_timeout,
            idle_timeout: self.idle_timeout,
            max_redirects: self.max_redirects,
            skips_large: self.skip_large_events,
            finishes: self.unfinished_events,
            gives_blocks: self.blocks,
        };
        let outside = Outside {
            transport,
            before_attempt: self.before_attempt,
            on_response: self.on_response,
            connect_timeout: self.connect_timeout,
            clock: self.clock.unwrap_or_else(|| Arc::new(TokioClock::default())),
            cookies: self.cookies,
        };
        let progress = self.store.as_ref().map(|_| Progress::new(self.acknowledge));
        let session = Session::new(rules, parser, progress);
        Ok(EventSource::driven(Driver::new(session, outside, self.store.map(Keeper::new))))
    }
}

/// Adds the headers that a browser sends, unless the program has set them
/// ([WHATWG HTML, 9.2.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#dom-eventsource), steps 8 to
/// 11).
fn add_defaults(headers: &mut HeaderMap, url: &Url) {
    let defaults = [(ACCEPT, "text/event-stream"), (CACHE_CONTROL, "no-cache"), (PRAGMA, "no-cache")];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
        let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
        headers.entry(AUTHORIZATION).or_insert_with(|| basic(&user, &password));
    }
    #[cfg(feature = "compression")]
    headers.entry(http::header::ACCEPT_ENCODING).or_insert(HeaderValue::from_static(crate::decode::ACCEPT_ENCODING));
}

/// Returns the value of `Authorization` for a user and a password ([RFC 7617](https://www.rfc-editor.org/rfc/rfc7617)).
fn basic(user: &[u8], password: &[u8]) -> HeaderValue {
    let both = [user, password].join(&b':');
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(both))).expect("base64 fits a header");
    value.set_sensitive(true);
    value
}

/// Shortens an argument of the builder to the first [`MAX_TOLD_CHARS`] characters, which an error shows.
fn short(text: &str) -> String {
    text.chars().take(MAX_TOLD_CHARS).collect()
}

#[cfg(feature = "hyper")]
fn default_transport() -> Result<Box<dyn Erased>, BuildError> {
    Ok(erase(crate::transport::HyperTransport::new()))
}

#[cfg(not(feature = "hyper"))]
fn default_transport() -> Result<Box<dyn Erased>, BuildError> {
    Err(BuildError::NoTransport)
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.as_ref().map(Masked);
        f.debug_struct("Builder").field("url", &url).field("method", &self.method).finish_non_exhaustive()
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "cannot send a request to {url:?}: it is not an http or https URL"),
            Self::Header { name } => {
                write!(f, "the header {name:?} contains characters that are not allowed in a header")
            }
            Self::TooManyHeaders => f.write_str("the program has set more headers than a request can have"),
            Self::Method => f.write_str("the method CONNECT cannot be used: it does not return an event stream"),
            Self::User => f.write_str("a user name cannot contain a colon"),
            Self::LastEventId(id) => write!(f, "{id:?} is not an event ID: it contains CR, LF or NUL"),
            Self::NoTransport => f.write_str("there is no transport: set one, or enable the feature hyper"),
        }
    }
}

impl std::error::Error for BuildError {}
