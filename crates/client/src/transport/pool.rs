//! Connections that are kept: over HTTP/1.1 for the next request, over HTTP/2 for several at a time.
//!
//! A connection that was kept may have been closed by its server meanwhile, which shows only when a request is on its way.
//! As long as nothing of an answer has come, another connection takes its place, once. A stream of events never ends, so
//! over HTTP/2 a connection that carries as many streams as its server allows is full, and another is opened.
use super::{
    RequestBody,
    body::HyperBody,
    connector::{Connector, is_https},
    error::{Failure, HyperError},
    wire::Wire,
};
use http::{HeaderValue, Method, Request, Response, Uri, Version, header::HOST, uri};
use hyper::client::conn::http1;
#[cfg(feature = "http2")]
use hyper::client::conn::http2;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;

/// How long a connection without a request is kept for the next.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
const MAX_IDLE_PER_ORIGIN: usize = 4;
/// How often other tasks have their turn before another connection is made: one that has just been read to the end is free
/// as soon as its own task knows.
const TURNS_UNTIL_FREE: usize = 3;

/// Whether a request may be sent twice, where its method alone does not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repetition {
    /// As often as it takes.
    Allowed,
    /// Never. It gets a connection of its own, since on one that was kept it may be lost without anybody knowing.
    Forbidden,
}

/// How long the connection for this request may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectTimeout(pub(crate) Duration);

/// The settings of the protocols.
pub(super) struct Protocols {
    pub(super) http1: http1::Builder,
    #[cfg(feature = "http2")]
    pub(super) http2: http2::Builder<hyper_util::rt::TokioExecutor>,
}

pub(super) struct Pool {
    connector: Connector,
    protocols: Protocols,
    origins: Mutex<HashMap<Key, Arc<Origin>>>,
}

/// Whether an origin is `https`, and its host and port.
type Key = (bool, String);

/// The connections to one origin.
#[derive(Default)]
struct Origin {
    kept: Mutex<Kept>,
    /// Held while connecting, where all that wait may share what comes of it.
    #[cfg(feature = "http2")]
    gate: tokio::sync::Mutex<()>,
    /// It was seen to speak HTTP/1.1, of which nothing can be shared.
    speaks_http1: AtomicBool,
    /// Connections over HTTP/1.1 whose responses are not read to the end.
    lent: AtomicUsize,
}

#[derive(Default)]
struct Kept {
    idle: Vec<Idle>,
    #[cfg(feature = "http2")]
    shared: Vec<Shared>,
    /// There is a task that closes what is idle for too long.
    is_watched: bool,
}

/// A connection over HTTP/1.1 without a request.
struct Idle {
    sender: http1::SendRequest<RequestBody>,
    wire: Arc<Wire>,
    is_forwarded: bool,
    since: Instant,
}

/// A connection over HTTP/2.
#[cfg(feature = "http2")]
struct Shared {
    sender: http2::SendRequest<RequestBody>,
    wire: Arc<Wire>,
    streams: Arc<AtomicUsize>,
    since: Instant,
}

/// A place among the streams of a connection over HTTP/2. It is free again when this is dropped.
pub(super) struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

enum Sender {
    Http1(http1::SendRequest<RequestBody>),
    #[cfg(feature = "http2")]
    Http2(http2::SendRequest<RequestBody>, Slot),
}

/// A connection for one request.
struct Taken {
    sender: Sender,
    wire: Arc<Wire>,
    /// It has served before.
    is_kept: bool,
    is_forwarded: bool,
}

/// Why a request brought no response, and what that means for another connection.
enum Unsent {
    /// Nothing of it was sent, or the server said that it has not looked at it.
    Untouched(HyperError),
    /// It was sent, and nothing came.
    Unanswered(HyperError),
    /// Something came, or may have come.
    Failed(HyperError),
}

impl Pool {
    pub(super) fn new(connector: Connector, protocols: Protocols) -> Self {
        Self { connector, protocols, origins: Mutex::default() }
    }

    /// Sends `request` and waits for the head of the response.
    pub(super) async fn send(&self, request: Request<RequestBody>) -> Result<Response<HyperBody>, HyperError> {
        let origin = self.origin(key(request.uri())?);
        let timeout = request.extensions().get().map_or(self.connector.timeout, |&ConnectTimeout(timeout)| timeout);
        let repetition = request.extensions().get().copied();
        let may_repeat = repetition == Some(Repetition::Allowed) || is_idempotent(request.method());
        let mut kept_to_try = if repetition == Some(Repetition::Forbidden) { 0 } else { MAX_IDLE_PER_ORIGIN };
        loop {
            let taken = self.take(&origin, request.uri(), kept_to_try > 0, timeout).await?;
            let is_kept = taken.is_kept;
            match self.exchange(&origin, taken, request.clone()).await {
                Ok(response) => return Ok(response),
                Err(Unsent::Untouched(_)) if is_kept => kept_to_try -= 1,
                Err(Unsent::Unanswered(_)) if is_kept && may_repeat => kept_to_try = 0,
                Err(Unsent::Untouched(error) | Unsent::Unanswered(error) | Unsent::Failed(error)) => return Err(error),
            }
        }
    }

    fn origin(&self, key: Key) -> Arc<Origin> {
        let mut origins = lock(&self.origins);
        if let Some(origin) = origins.get(&key) {
            return Arc::clone(origin);
        }
        // What nobody uses and nothing is kept of is forgotten.
        origins.retain(|_, origin| Arc::strong_count(origin) > 1 || !lock(&origin.kept).is_empty());
        Arc::clone(origins.entry(key).or_default())
    }

    /// A connection that was kept and is free, or another.
    async fn take(
        &self,
        origin: &Arc<Origin>,
        url: &Uri,
        takes_kept: bool,
        timeout: Duration,
    ) -> Result<Taken, HyperError> {
        if takes_kept && let Some(taken) = origin.take_soon().await {
            return Ok(taken);
        }
        #[cfg(feature = "http2")]
        if takes_kept && self.may_share(origin, url) {
            let shared = tokio::time::timeout(timeout, self.share(origin, url, timeout)).await;
            return shared.unwrap_or_else(|_| Err(HyperError::plain(Failure::ConnectTimeout(timeout))));
        }
        self.connect(origin, url, takes_kept, timeout).await
    }

    async fn connect(
        &self,
        origin: &Arc<Origin>,
        url: &Uri,
        is_shared: bool,
        timeout: Duration,
    ) -> Result<Taken, HyperError> {
        let connection = self.connector.connect(url.clone(), timeout).await?;
        #[cfg(feature = "http2")]
        if self.connector.http2_only || connection.connected().is_negotiated_h2() {
            return self.connect_http2(origin, connection, is_shared).await;
        }
        let _ = is_shared;
        origin.speaks_http1.store(true, Relaxed);
        let (wire, is_forwarded) = (Arc::clone(&connection.wire), connection.is_forwarded);
        let (sender, driver) = self.protocols.http1.handshake(connection).await.map_err(broken)?;
        tokio::spawn(driver);
        Ok(Taken { sender: Sender::Http1(sender), wire, is_kept: false, is_forwarded })
    }

    async fn exchange(
        &self,
        origin: &Arc<Origin>,
        taken: Taken,
        mut request: Request<RequestBody>,
    ) -> Result<Response<HyperBody>, Unsent> {
        let Taken { sender, wire, is_forwarded, .. } = taken;
        match sender {
            Sender::Http1(mut sender) => {
                prepare_http1(&mut request, is_forwarded);
                let sent = sender.try_send_request(request).await;
                let response = sent.map_err(|mut error| match error.take_message() {
                    Some(_) => Unsent::Untouched(broken(error.into_error())),
                    None if wire.is_unanswered() => Unsent::Unanswered(broken(error.into_error())),
                    None if wire.looks_like_tls() => Unsent::Failed(HyperError::plain(Failure::TlsServer)),
                    None => Unsent::Failed(broken(error.into_error())),
                })?;
                origin.keep(Idle { sender, wire, is_forwarded, since: Instant::now() });
                Ok(response.map(|body| HyperBody::new(body, None)))
            }
            #[cfg(feature = "http2")]
            Sender::Http2(mut sender, slot) => {
                let response =
                    sender.try_send_request(request).await.map_err(|mut error| match error.take_message() {
                        Some(_) => Unsent::Untouched(broken(error.into_error())),
                        None => of_http2(error.into_error()),
                    })?;
                Ok(response.map(|body| HyperBody::new(body, Some(slot))))
            }
        }
    }
}

#[cfg(feature = "http2")]
impl Pool {
    /// Whether a connection may turn out to be one that several requests share.
    fn may_share(&self, origin: &Origin, url: &Uri) -> bool {
        self.connector.http2_only || is_https(url) && !origin.speaks_http1.load(Relaxed)
    }

    /// As [`take`](Self::take), where several may be about to connect: one does, and the others share what comes of it.
    async fn share(&self, origin: &Arc<Origin>, url: &Uri, timeout: Duration) -> Result<Taken, HyperError> {
        let gate = origin.gate.lock().await;
        loop {
            if let Some(taken) = origin.take() {
                return Ok(taken);
            }
            // A server says how many streams it allows in the first thing that it sends.
            let Some(mut streams) = origin.unknown() else { break };
            let _ = streams.changed().await;
        }
        let connected = self.connect(origin, url, true, timeout).await;
        drop(gate);
        connected
    }

    async fn connect_http2(
        &self,
        origin: &Arc<Origin>,
        mut connection: super::wire::Connect,
        is_shared: bool,
    ) -> Result<Taken, HyperError> {
        connection.expect_settings();
        let (wire, is_forwarded) = (Arc::clone(&connection.wire), connection.is_forwarded);
        let (sender, driver) = self.protocols.http2.handshake(connection).await.map_err(broken)?;
        tokio::spawn(driver);
        let streams = Arc::new(AtomicUsize::new(1));
        let slot = Slot(Arc::clone(&streams));
        if is_shared {
            let shared = Shared { sender: sender.clone(), wire: Arc::clone(&wire), streams, since: Instant::now() };
            lock(&origin.kept).shared.push(shared);
            origin.watch();
        }
        Ok(Taken { sender: Sender::Http2(sender, slot), wire, is_kept: false, is_forwarded })
    }
}

impl Origin {
    /// A connection that was kept and is free.
    fn take(&self) -> Option<Taken> {
        let mut kept = lock(&self.kept);
        #[cfg(feature = "http2")]
        {
            kept.shared.retain(|shared| !shared.sender.is_closed());
            if let Some(taken) = kept.shared.iter_mut().find_map(Shared::take) {
                return Some(taken);
            }
        }
        while let Some(idle) = kept.idle.pop() {
            if !idle.is_over() {
                let Idle { sender, wire, is_forwarded, .. } = idle;
                return Some(Taken { sender: Sender::Http1(sender), wire, is_kept: true, is_forwarded });
            }
        }
        None
    }

    /// The same, once those that are about to be free are.
    async fn take_soon(&self) -> Option<Taken> {
        for _ in 0..TURNS_UNTIL_FREE {
            if let Some(taken) = self.take() {
                return Some(taken);
            }
            if self.lent.load(Relaxed) == 0 {
                return None;
            }
            tokio::task::yield_now().await;
        }
        self.take()
    }

    /// A connection that has not said yet how many streams it allows.
    #[cfg(feature = "http2")]
    fn unknown(&self) -> Option<tokio::sync::watch::Receiver<Option<u32>>> {
        let kept = lock(&self.kept);
        let is_unknown = |shared: &&Shared| !shared.sender.is_closed() && shared.wire.streams().borrow().is_none();
        kept.shared.iter().find(is_unknown).map(|shared| shared.wire.streams())
    }

    /// Keeps a connection, once its response is read to the end. One that is closed before is not kept.
    fn keep(self: &Arc<Self>, mut idle: Idle) {
        if idle.sender.is_closed() {
            return;
        }
        let weak = Arc::downgrade(self);
        self.lent.fetch_add(1, Relaxed);
        tokio::spawn(async move {
            let is_free = idle.sender.ready().await.is_ok();
            let Some(origin) = Weak::upgrade(&weak) else { return };
            origin.lent.fetch_sub(1, Relaxed);
            let mut kept = lock(&origin.kept);
            if is_free && kept.idle.len() < MAX_IDLE_PER_ORIGIN {
                idle.since = Instant::now();
                kept.idle.push(idle);
                drop(kept);
                origin.watch();
            }
        });
    }

    /// Has what is idle for too long closed.
    fn watch(self: &Arc<Self>) {
        if std::mem::replace(&mut lock(&self.kept).is_watched, true) {
            return;
        }
        let origin = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE_TIMEOUT / 2).await;
                let Some(origin) = Weak::upgrade(&origin) else { return };
                let mut kept = lock(&origin.kept);
                kept.forget_idle();
                if kept.is_empty() {
                    kept.is_watched = false;
                    return;
                }
            }
        });
    }
}

impl Kept {
    fn is_empty(&self) -> bool {
        #[cfg(feature = "http2")]
        if !self.shared.is_empty() {
            return false;
        }
        self.idle.is_empty()
    }

    fn forget_idle(&mut self) {
        self.idle.retain(|idle| !idle.is_over());
        #[cfg(feature = "http2")]
        self.shared.retain(|shared| {
            let is_idle = shared.streams.load(Relaxed) == 0 && shared.since.elapsed() >= IDLE_TIMEOUT;
            !is_idle && !shared.sender.is_closed()
        });
    }
}

impl Idle {
    fn is_over(&self) -> bool {
        !self.sender.is_ready() || self.since.elapsed() >= IDLE_TIMEOUT
    }
}

#[cfg(feature = "http2")]
impl Shared {
    /// A place among its streams, if there is one. Until it is known how many there are, there is one.
    fn take(&mut self) -> Option<Taken> {
        let allowed = self.wire.streams().borrow().unwrap_or(1) as usize;
        // Places are taken under a lock, and given back without it.
        if self.streams.load(Relaxed) >= allowed {
            return None;
        }
        self.streams.fetch_add(1, Relaxed);
        self.since = Instant::now();
        let sender = Sender::Http2(self.sender.clone(), Slot(Arc::clone(&self.streams)));
        Some(Taken { sender, wire: Arc::clone(&self.wire), is_kept: true, is_forwarded: false })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key(url: &Uri) -> Result<Key, HyperError> {
    match (url.scheme_str(), url.authority()) {
        (Some("http" | "https"), Some(authority)) => Ok((is_https(url), authority.as_str().to_ascii_lowercase())),
        _ => Err(HyperError::new(Failure::Request, "it has no absolute URL of http or https")),
    }
}

/// What a request over HTTP/1.1 has besides: the host, and its URL in the form that the peer wants.
fn prepare_http1(request: &mut Request<RequestBody>, is_forwarded: bool) {
    *request.version_mut() = Version::HTTP_11;
    let uri = request.uri().clone();
    let host = match (uri.host(), uri.port_u16(), is_https(&uri)) {
        (Some(host), None | Some(80), false) | (Some(host), None | Some(443), true) => host.to_owned(),
        (Some(host), Some(port), _) => format!("{host}:{port}"),
        (None, ..) => return,
    };
    if let Ok(host) = HeaderValue::try_from(host) {
        request.headers_mut().entry(HOST).or_insert(host);
    }
    if !is_forwarded {
        let path = uri.path_and_query().cloned().unwrap_or_else(|| uri::PathAndQuery::from_static("/"));
        *request.uri_mut() = path.as_str().parse().unwrap_or_else(|_| Uri::from_static("/"));
    }
}

fn broken(error: hyper::Error) -> HyperError {
    let failure = match () {
        () if error.is_parse() => Failure::NotHttp,
        () if error.is_user() => Failure::Request,
        () => Failure::Broken,
    };
    HyperError::new(failure, error)
}

#[cfg(feature = "http2")]
fn of_http2(error: hyper::Error) -> Unsent {
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<h2::Error>());
    let untouched = source.is_some_and(|error| {
        // A server that goes away says so of all requests that it has not looked at.
        error.reason() == Some(h2::Reason::REFUSED_STREAM)
            || error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR)
    });
    let error = broken(error);
    if untouched { Unsent::Untouched(error) } else { Unsent::Unanswered(error) }
}

/// Whether a request of this method may be sent again when nobody knows what became of it
/// ([RFC 9110, 9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2); QUERY is safe as well).
fn is_idempotent(method: &Method) -> bool {
    method.is_idempotent() || method.as_str() == "QUERY"
}
