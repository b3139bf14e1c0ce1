//! The transport of our own: hyper over TCP, with TLS by rustls and proxies.

use std::{
    error::Error,
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use ::hyper::body::Incoming;
use http::{HeaderValue, Request, Response, Uri, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tower_service::Service;

use super::{
    BoxFuture, RequestBody,
    connector::Connector,
    proxy::{Proxy, Route, Rules},
    tls::{Roots, Tls},
};

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("fanfare-client/", env!("CARGO_PKG_VERSION")));
/// How long all addresses of a host may take together until TCP is connected.
const TCP_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection is silent before the system asks whether its peer is still there.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
/// How long a connection without a request is kept for the next.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(90);
const POOL_MAX_IDLE_PER_HOST: usize = 4;
/// What one connection over HTTP/1.1 means to read at a time, at most, and so the longest head of a response. hyper reads
/// as much as its buffer has room, which may be twice that. An event may share the memory of the buffer that it came in, so
/// 128 KiB is also what one kept event can pin.
const HTTP1_MAX_BUFFER: usize = 64 * 1024;
/// The same for HTTP/2, where a frame is what arrives as one piece. It is the least that the protocol allows.
#[cfg(feature = "http2")]
const HTTP2_MAX_FRAME: u32 = 16 * 1024;
/// What a server may send of one stream before it is read.
#[cfg(feature = "http2")]
const HTTP2_STREAM_WINDOW: u32 = 256 * 1024;
/// The same for all streams of a connection: sixteen that nobody reads stop the others.
#[cfg(feature = "http2")]
const HTTP2_CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
#[cfg(feature = "http2")]
const HTTP2_MAX_HEADER_LIST: u32 = 64 * 1024;
/// How often a connection over HTTP/2 that carries a stream is asked whether its peer is still there, and how long that may
/// take to answer.
#[cfg(feature = "http2")]
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
#[cfg(feature = "http2")]
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends requests over connections of its own. Cloning shares them: event sources with clones of one transport have one
/// pool, and over HTTP/2 one connection to each origin.
///
/// HTTP/2 is spoken where a server agrees to it during the TLS handshake, HTTP/1.1 everywhere else; there, a connection that
/// carries a stream serves nothing else, and is closed when the stream is dropped before its end. Otherwise a connection
/// without a request is kept for 90 seconds.
///
/// Requests without a `User-Agent` get `fanfare-client/` and the version.
///
/// It runs on tokio, and needs its I/O and time enabled. What a stream may hold unread is bounded: 128 KiB over HTTP/1.1,
/// 256 KiB over HTTP/2. A kept event that shares its buffer pins at most 128 KiB.
///
/// ```no_run
/// use fanfare_client::transport::{HyperTransport, Proxy};
/// let direct = HyperTransport::builder().proxy(Proxy::None).build();
/// ```
#[derive(Clone)]
pub struct HyperTransport {
    client: Client<Connector, RequestBody>,
    rules: Arc<Rules>,
    http2_only: bool,
}

impl HyperTransport {
    /// With all defaults: the system's roots, and the proxies of the environment.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Sets what is not as usual.
    pub fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder::default()
    }

    /// What the proxy is told of us, if it is one that reads the request itself.
    fn proxy_authorization(&self, url: &Uri) -> Option<HeaderValue> {
        match self.rules.route(url, self.http2_only) {
            Ok(Route::Forward(hop)) => hop.authorization,
            _ => None,
        }
    }
}

impl Default for HyperTransport {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Dropping the future abandons the request; one that is not connected yet stops connecting.
impl Service<Request<RequestBody>> for HyperTransport {
    type Response = Response<Incoming>;
    type Error = HyperError;
    type Future = BoxFuture<Result<Self::Response, HyperError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), HyperError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let proxy_authorization = self.proxy_authorization(request.uri());
        let headers = request.headers_mut();
        headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        if let Some(value) = proxy_authorization {
            headers.entry(header::PROXY_AUTHORIZATION).or_insert(value);
        }
        let sent = self.client.request(request);
        Box::pin(async move { sent.await.map_err(HyperError) })
    }
}

/// What a [`HyperTransport`] is made of.
#[derive(Clone, Debug)]
#[must_use]
pub struct HyperTransportBuilder {
    roots: Roots,
    proxy: Proxy,
    http2_only: bool,
    tcp_connect_timeout: Duration,
}

impl Default for HyperTransportBuilder {
    fn default() -> Self {
        let (roots, proxy) = (Roots::default(), Proxy::default());
        Self { roots, proxy, http2_only: false, tcp_connect_timeout: TCP_CONNECT_TIMEOUT }
    }
}

impl HyperTransportBuilder {
    /// Whom to trust. They are looked for when the first connection needs TLS, so that none are needed without; that there
    /// are none is then an error of that connection.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// Which proxy to use. The environment is read by [`build`](Self::build).
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// Speaks HTTP/2 with every server, without asking, and over plain TCP too ("h2c"). Default: no. A proxy is then asked
    /// to connect for `http` URLs as well.
    #[cfg(feature = "http2")]
    pub fn http2_prior_knowledge(mut self, only: bool) -> Self {
        self.http2_only = only;
        self
    }

    /// How long it may take until TCP is connected, shared evenly between the addresses of a host. Default: 10 seconds. That
    /// TLS and the response's head come in time is a matter of the event source's own timeout.
    pub fn tcp_connect_timeout(mut self, timeout: Duration) -> Self {
        self.tcp_connect_timeout = timeout;
        self
    }

    /// Makes the transport. Nothing is connected, and no certificate read.
    #[must_use]
    pub fn build(self) -> HyperTransport {
        let protocols: &[&[u8]] = match (self.http2_only, cfg!(feature = "http2")) {
            (true, _) => &[b"h2"],
            (false, true) => &[b"h2", b"http/1.1"],
            (false, false) => &[b"http/1.1"],
        };
        let rules = Arc::new(Rules::new(self.proxy));
        let connector = Connector {
            tcp: tcp(self.tcp_connect_timeout),
            tls: Arc::new(Tls::new(self.roots, protocols)),
            rules: rules.clone(),
            http2_only: self.http2_only,
        };
        HyperTransport { client: client(connector, self.http2_only), rules, http2_only: self.http2_only }
    }
}

fn tcp(connect_timeout: Duration) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    // It connects to proxies and for TLS too.
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(TCP_KEEPALIVE));
    tcp.set_connect_timeout(Some(connect_timeout));
    tcp
}

fn client(connector: Connector, http2_only: bool) -> Client<Connector, RequestBody> {
    let mut builder = Client::builder(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .pool_max_idle_per_host(POOL_MAX_IDLE_PER_HOST)
        .http1_max_buf_size(HTTP1_MAX_BUFFER);
    #[cfg(feature = "http2")]
    builder
        .http2_only(http2_only)
        .http2_max_frame_size(HTTP2_MAX_FRAME)
        .http2_initial_stream_window_size(HTTP2_STREAM_WINDOW)
        .http2_initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
        .http2_max_header_list_size(HTTP2_MAX_HEADER_LIST)
        .http2_keep_alive_interval(HTTP2_PING_INTERVAL)
        .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT);
    #[cfg(not(feature = "http2"))]
    debug_assert!(!http2_only);
    builder.build(connector)
}

/// Why a request brought no response.
///
/// It prints all of its causes, since the outermost says little; [`cause`](Self::cause) gives them as values. Their types
/// may change with those of hyper and rustls.
#[derive(Debug)]
pub struct HyperError(hyper_util::client::legacy::Error);

impl HyperError {
    /// Whether there was no connection yet, so that no byte of the request was sent.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.0.is_connect()
    }

    /// The error beneath, with its sources.
    #[must_use]
    pub fn cause(&self) -> &(dyn Error + 'static) {
        self.0.source().unwrap_or(&self.0)
    }
}

impl fmt::Display for HyperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_connect() { "cannot connect" } else { "cannot send the request" })?;
        let mut said = String::new();
        let mut next = Some(self.cause());
        while let Some(cause) = next {
            // Some errors print what they wrap.
            let text = cause.to_string();
            if !said.contains(&text) {
                write!(f, ": {text}")?;
            }
            (said, next) = (text, cause.source());
        }
        Ok(())
    }
}

impl Error for HyperError {}
