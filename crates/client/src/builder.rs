//! Building an event source.
use crate::{
    Acknowledge, Attempt, BoxError, Clock, EventSource, HookError, Limits, Reconnect, Store, TokioClock, Verdict,
    config::{BeforeAttempt, Config, OnResponse},
    keeper::Keeper,
    session::Session,
    target::{self, Target},
    transport::{Erased, RequestBody, erase},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use fanfare_event_stream::{EventId, Parser};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response,
    header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, PRAGMA},
};
use percent_encoding::percent_decode_str;
use std::{fmt, future::Future, sync::Arc, time::Duration};
use tower_service::Service;
use url::Url;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// As many as browsers follow.
const MAX_REDIRECTS: u8 = 20;

/// Builds an [`EventSource`]. What is wrong with an argument is said by [`build`](Self::build).
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
    connect_timeout: Duration,
    idle_timeout: Option<Duration>,
    max_redirects: u8,
    clock: Option<Arc<dyn Clock>>,
}

/// An argument of a [`Builder`] that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// The URL is none, or neither `http` nor `https`, or has no host: the `SyntaxError` of browsers.
    Url(String),
    /// A header's name or value holds what no header can.
    Header {
        /// Its name.
        name: String,
    },
    /// The last event ID holds CR, LF or NUL.
    LastEventId(String),
    /// There is nothing to send requests with: the feature `hyper` is off, and no transport was given.
    NoTransport,
}

impl Builder {
    pub(crate) fn new(url: &str) -> Self {
        let refused = || BuildError::Url(url.to_owned());
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
            connect_timeout: CONNECT_TIMEOUT,
            idle_timeout: None,
            max_redirects: MAX_REDIRECTS,
            clock: None,
        }
    }

    /// The method. Default: `GET`. With a method that is not safe, such as `POST`, see
    /// [`repeat_requests`](Self::repeat_requests).
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// Sets a header, in place of one of that name. Default: `Accept: text/event-stream`, `Cache-Control: no-cache` and
    /// `Pragma: no-cache`, and what the transport adds.
    pub fn header<V: TryInto<HeaderValue>>(mut self, name: impl AsRef<str>, value: V) -> Self {
        match (HeaderName::try_from(name.as_ref()), value.try_into()) {
            (Ok(name), Ok(value)) => drop(self.headers.insert(name, value)),
            _ => drop(self.error.get_or_insert(BuildError::Header { name: name.as_ref().to_owned() })),
        }
        self
    }

    /// Sets these headers, each in place of those of its name. Values that are marked as sensitive are not sent to another
    /// origin, whereto the server may redirect; nor are `Authorization`, `Cookie` and `Proxy-Authorization`.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    /// Sets `Authorization: Bearer token`.
    pub fn bearer(mut self, token: impl AsRef<str>) -> Self {
        match HeaderValue::try_from(format!("Bearer {}", token.as_ref())) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(AUTHORIZATION, value);
            }
            Err(_) => drop(self.error.get_or_insert(BuildError::Header { name: AUTHORIZATION.to_string() })),
        }
        self
    }

    /// The body of the request. Default: none. Set `Content-Type` beside it.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Starts behind the event with this ID. Default: the one in the [`store`](Self::store), or none.
    pub fn last_event_id(mut self, id: impl Into<String>) -> Self {
        let id = id.into();
        match EventId::new(id.as_str()) {
            Ok(id) => self.last_event_id = Some(id),
            Err(_) => drop(self.error.get_or_insert(BuildError::LastEventId(id))),
        }
        self
    }

    /// Keeps the last event ID of what has been dealt with, and starts from what is kept. Default: none.
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// When an event counts as dealt with. Default: [`Acknowledge::OnNext`].
    pub fn acknowledge(mut self, when: Acknowledge) -> Self {
        self.acknowledge = when;
        self
    }

    /// When to reconnect. Default: [`Reconnect::spec`].
    pub fn reconnect(mut self, policy: Reconnect) -> Self {
        self.reconnect = policy;
        self
    }

    /// Whether the request is sent again when a connection has ended. Default: only if its method is safe (`GET`). A
    /// request that is not repeated ends the event source with its response, unless a hook asks for another attempt.
    pub fn repeat_requests(mut self, repeat: bool) -> Self {
        self.repeat = Some(repeat);
        self
    }

    /// How long a response's head may take, from the request on; for each redirect anew. Default: 30 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Reconnects when nothing has come for so long, not even a comment. Only time in which the stream is waited for counts,
    /// not that in which the program deals with an event. Default: never. Two or three times the interval
    /// at which the server sends comments is a good choice, where it sends any: a connection that broke without a word is
    /// not noticed otherwise.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = Some(timeout);
        self
    }

    /// What an event may hold at most. Default: 16 MiB of data; see [`Limits`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Gives events that have a type or an ID but no data, with empty data. Default: `false`, the standard drops them.
    pub fn events_without_data(mut self, given: bool) -> Self {
        self.events_without_data = given;
        self
    }

    /// How many redirects one attempt follows. Default: 20.
    pub fn max_redirects(mut self, limit: u8) -> Self {
        self.max_redirects = limit;
        self
    }

    /// Calls `hook` before each attempt. It may change the request: a new token, a cursor in the query.
    pub fn before_attempt<F, R>(mut self, hook: F) -> Self
    where
        F: Fn(Attempt) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Attempt, HookError>> + Send + 'static,
    {
        self.before_attempt = Some(Box::new(move |attempt| Box::pin(hook(attempt))));
        self
    }

    /// Calls `hook` with the head of each response that is no redirect, to decide what it means.
    pub fn on_response<F>(mut self, hook: F) -> Self
    where
        F: Fn(&http::response::Parts) -> Verdict + Send + Sync + 'static,
    {
        self.on_response = Some(Box::new(hook));
        self
    }

    /// What sends requests. Default: `HyperTransport`, with the feature `hyper`.
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

    /// Where time comes from. Default: [`TokioClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// The event source. It does nothing until it is polled.
    ///
    /// # Errors
    /// [`BuildError`] if an argument cannot be used.
    pub fn build(mut self) -> Result<EventSource, BuildError> {
        let url = self.url?;
        if let Some(error) = self.error {
            return Err(error);
        }
        add_defaults(&mut self.headers, &url);
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport()?,
        };
        let mut parser = Parser::with_limits(self.limits);
        if self.events_without_data {
            parser = parser.with_events_without_data();
        }
        if let Some(id) = &self.last_event_id {
            parser = parser.resuming_from(id);
        }
        let keeper = self.store.map(|store| Keeper::new(store, self.acknowledge));
        let config = Config {
            repeat: self.repeat.unwrap_or_else(|| self.method.is_safe()),
            target: Target { method: self.method, url, headers: self.headers, body: self.body },
            transport,
            before_attempt: self.before_attempt,
            on_response: self.on_response,
            reconnect: self.reconnect,
            connect_timeout: self.connect_timeout,
            idle_timeout: self.idle_timeout,
            max_redirects: self.max_redirects,
            clock: self.clock.unwrap_or_else(|| Arc::new(TokioClock::default())),
        };
        Ok(EventSource::from_session(Session::new(config, parser, keeper)))
    }
}

/// What a browser sends, unless the program has said otherwise
/// ([WHATWG HTML, 9.2.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#dom-eventsource), steps 8 to 11).
fn add_defaults(headers: &mut HeaderMap, url: &Url) {
    let defaults = [(ACCEPT, "text/event-stream"), (CACHE_CONTROL, "no-cache"), (PRAGMA, "no-cache")];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if !url.username().is_empty() || url.password().is_some() {
        headers.entry(AUTHORIZATION).or_insert_with(|| basic(url));
    }
    #[cfg(feature = "compression")]
    headers.entry(http::header::ACCEPT_ENCODING).or_insert(HeaderValue::from_static(crate::decode::ACCEPT_ENCODING));
}

/// The user of a URL, as `Authorization` says it ([RFC 7617](https://www.rfc-editor.org/rfc/rfc7617)).
fn basic(url: &Url) -> HeaderValue {
    let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
    let user = [decoded(url.username()), decoded(url.password().unwrap_or_default())].join(&b':');
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(user))).expect("base64 fits a header");
    value.set_sensitive(true);
    value
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
        f.debug_struct("Builder").field("url", &self.url).field("method", &self.method).finish_non_exhaustive()
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => write!(f, "{url:?} is not a URL that can be asked"),
            Self::Header { name } => write!(f, "the header {name:?} holds characters that no header can carry"),
            Self::LastEventId(id) => write!(f, "{id:?} is no event ID: it holds CR, LF or NUL"),
            Self::NoTransport => f.write_str("there is nothing to send requests with"),
        }
    }
}

impl std::error::Error for BuildError {}
