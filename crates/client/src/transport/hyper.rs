//! The default transport: hyper over TCP, with TLS by rustls and proxies.

use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use ::hyper::client::conn::http1;
use http::{HeaderValue, Method, Request, Response, header};
use hyper_util::client::legacy::connect::HttpConnector;
use tower_service::Service;

use super::{
    RequestBody,
    body::HyperBody,
    connector::Connector,
    erased::BoxFuture,
    error::{Failure, HyperError},
    pool::{Pool, Protocols},
    proxy::{Proxy, Route, Rules, Via},
    tls::{CustomRoots, Roots, Tls, Trust},
};

const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("fanfare-client/", env!("CARGO_PKG_VERSION")));
/// The default time for making a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// The time for which a connection is silent before the system asks if its peer still exists. With the two constants
/// below, a peer that vanished is found within a minute.
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
/// The time between two keep-alive questions to a silent peer.
const TCP_KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
/// The number of keep-alive questions without an answer after which the system ends the connection.
const TCP_KEEPALIVE_RETRIES: u32 = 3;
/// The size of the read buffer of an HTTP/1.1 connection, in bytes, and so the longest head of a response. hyper reads
/// as much as its buffer has room for, which may be twice this size. An event may share the memory of the buffer that
/// it came in, so one kept event can keep up to 128 KiB in memory.
const HTTP1_MAX_BUFFER: usize = 64 * 1024;
/// The largest frame over HTTP/2, in bytes. Each frame of a body arrives as one chunk. This is the smallest limit that
/// the protocol allows.
#[cfg(feature = "http2")]
const HTTP2_MAX_FRAME: u32 = 16 * 1024;
/// The greatest number of bytes of one stream that a server may send before the program reads them.
#[cfg(feature = "http2")]
const HTTP2_STREAM_WINDOW: u32 = 256 * 1024;
/// The greatest number of bytes of all streams of a connection that a server may send before the program reads them.
/// Sixteen streams that are not read use up these bytes, and then the other streams stop, too.
#[cfg(feature = "http2")]
const HTTP2_CONNECTION_WINDOW: u32 = 4 * 1024 * 1024;
#[cfg(feature = "http2")]
const HTTP2_MAX_HEADER_LIST: u32 = 64 * 1024;
/// The time after which an HTTP/2 connection that carries a stream is asked if its peer still exists.
/// `HTTP2_PING_TIMEOUT` is the time for the answer.
#[cfg(feature = "http2")]
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
#[cfg(feature = "http2")]
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Sends requests over its own connections. Clones share these connections: event sources with clones of one transport
/// use one pool. Over HTTP/2, these event sources share one connection to each origin. Another connection is opened
/// when the first one carries as many streams as the server allows.
///
/// The transport uses HTTP/2 if the server agrees to it during the TLS handshake, and HTTP/1.1 otherwise. An HTTP/1.1
/// connection that carries a stream serves nothing else, and is closed if the stream is dropped before its end.
/// Otherwise a connection without a request is kept for 90 seconds.
///
/// The server may have closed a kept connection meanwhile. If nothing of an answer has come, the transport sends the
/// request once more over another connection, but only a request that may be sent twice: one of an idempotent method,
/// or of an event source that [repeats its requests](crate::Builder::repeat_requests). An event source that does not
/// repeat them gets a new connection for each request.
///
/// A peer that vanished silently is detected: over HTTP/2 by a ping, after 50 seconds; over HTTP/1.1 by the system,
/// after a minute of silence on Linux, Android, Apple's systems, the BSDs and Windows. Other systems check at the
/// interval that they are configured for, which may be hours. An [idle timeout](crate::Builder::idle_timeout) works
/// everywhere.
///
/// Requests without a `User-Agent` get `fanfare-client/` and the version.
///
/// The transport runs on tokio, and needs its I/O and time enabled. The unread data of a stream is limited to 128 KiB
/// over HTTP/1.1, and to 256 KiB over HTTP/2. A kept event that shares its buffer keeps at most 128 KiB in memory.
///
/// ```no_run
/// use fanfare_client::transport::{HyperTransport, Proxy};
/// let direct = HyperTransport::builder().proxy(Proxy::None).build();
/// ```
#[derive(Clone)]
pub struct HyperTransport {
    pool: Arc<Pool>,
    rules: Arc<Rules>,
    http2_only: bool,
}

impl HyperTransport {
    /// Makes a transport with all defaults: the system's certificate authorities, and the proxies of the environment.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Returns a builder for a transport with other settings.
    pub fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder::default()
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

/// Dropping the returned future abandons the request. If no connection was made yet, connecting stops.
impl Service<Request<RequestBody>> for HyperTransport {
    type Response = Response<HyperBody>;
    type Error = HyperError;
    type Future = BoxFuture<Result<Self::Response, HyperError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), HyperError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        // The request contains the password of the proxy only if the proxy gets the request itself. A proxy that makes
        // a tunnel gets the password with CONNECT, and the server behind the tunnel must not get it.
        let forwards = match self.rules.route(request.uri(), self.http2_only) {
            Ok(Route::Forward(hop)) => Some(hop),
            _ => None,
        };
        let headers = request.headers_mut();
        headers.entry(header::USER_AGENT).or_insert(USER_AGENT);
        match &forwards {
            Some(hop) => {
                if let Some(value) = &hop.authorization {
                    headers.entry(header::PROXY_AUTHORIZATION).or_insert_with(|| value.clone());
                }
            }
            None => drop(headers.remove(header::PROXY_AUTHORIZATION)),
        }
        let pool = Arc::clone(&self.pool);
        Box::pin(async move {
            if request.method() == Method::CONNECT {
                return Err(HyperError::new(Failure::Request, "its method is CONNECT"));
            }
            let mut response = pool.send(request).await?;
            if let Some(hop) = forwards {
                response.extensions_mut().insert(Via(hop.proxy));
            }
            Ok(response)
        })
    }
}

/// The settings of a [`HyperTransport`].
#[derive(Clone, Debug)]
#[must_use]
pub struct HyperTransportBuilder {
    trust: Trust,
    proxy: Proxy,
    http2_only: bool,
    connect_timeout: Duration,
}

impl Default for HyperTransportBuilder {
    fn default() -> Self {
        let (trust, proxy) = (Trust::default(), Proxy::default());
        Self { trust, proxy, http2_only: false, connect_timeout: CONNECT_TIMEOUT }
    }
}

impl HyperTransportBuilder {
    /// Sets the trusted certificate authorities. The authorities are read when the first connection needs TLS, so a
    /// program that uses no `https` URL needs none. If none are found, that connection fails.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.trust.roots = roots;
        self
    }

    /// Trusts these authorities in addition to those of [`roots`](Self::roots): for example the authority of a company.
    /// Call it again to add more.
    ///
    /// ```no_run
    /// use fanfare_client::transport::{CustomRoots, HyperTransport};
    /// let company = CustomRoots::from_pem(std::fs::read("company-ca.pem")?)?;
    /// let transport = HyperTransport::builder().add_roots(company).build();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn add_roots(mut self, roots: CustomRoots) -> Self {
        self.trust.more.push(roots);
        self
    }

    /// Accepts every certificate of a server: **anybody between client and server can read and change everything,
    /// tokens too**. Use it only for tests on your own machine; for a certificate that you have made yourself, use
    /// [`add_roots`](Self::add_roots). Default: `false`. The certificate of a proxy is always verified.
    pub fn danger_accept_invalid_certificates(mut self, accepted: bool) -> Self {
        self.trust.anybody = accepted;
        self
    }

    /// Sets the proxy. For [`Proxy::FromEnvironment`], which is the default, [`build`](Self::build) reads the
    /// environment variables.
    pub fn proxy(mut self, proxy: Proxy) -> Self {
        self.proxy = proxy;
        self
    }

    /// Uses HTTP/2 with every server, without negotiation, also over plain TCP ("h2c"). Default: `false`. If this is
    /// set, proxies make a tunnel for `http` URLs too, and not only for `https` URLs.
    #[cfg(feature = "http2")]
    pub fn http2_prior_knowledge(mut self, only: bool) -> Self {
        self.http2_only = only;
        self
    }

    /// Sets the longest time for connecting: for name resolution, TCP, a proxy and TLS together. If the host has
    /// several addresses, each of them gets an equal part of this time. Default: 30 seconds. An event source may [set
    /// another time](crate::Builder::connect_timeout) for its requests.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Makes the transport. It makes no connection and reads no certificate yet.
    #[must_use]
    pub fn build(self) -> HyperTransport {
        let protocols: &[&[u8]] = match (self.http2_only, cfg!(feature = "http2")) {
            (true, _) => &[b"h2"],
            (false, true) => &[b"h2", b"http/1.1"],
            (false, false) => &[b"http/1.1"],
        };
        let rules = Arc::new(Rules::new(self.proxy));
        let connector = Connector {
            tcp: tcp(),
            tls: Arc::new(Tls::new(self.trust, protocols)),
            rules: rules.clone(),
            http2_only: self.http2_only,
            timeout: self.connect_timeout,
        };
        let pool = Arc::new(Pool::new(connector, self::protocols()));
        HyperTransport { pool, rules, http2_only: self.http2_only }
    }
}

fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    // This connector is also used for proxies and for TLS, so it must accept other schemes than `http`.
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(TCP_KEEPALIVE));
    tcp.set_keepalive_interval(Some(TCP_KEEPALIVE_INTERVAL));
    tcp.set_keepalive_retries(Some(TCP_KEEPALIVE_RETRIES));
    tcp
}

fn protocols() -> Protocols {
    let mut http1 = http1::Builder::new();
    http1.max_buf_size(HTTP1_MAX_BUFFER);
    #[cfg(feature = "http2")]
    let http2 = {
        use ::hyper::client::conn::http2;
        use hyper_util::rt::{TokioExecutor, TokioTimer};
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .max_frame_size(HTTP2_MAX_FRAME)
            .initial_stream_window_size(HTTP2_STREAM_WINDOW)
            .initial_connection_window_size(HTTP2_CONNECTION_WINDOW)
            .max_header_list_size(HTTP2_MAX_HEADER_LIST)
            .keep_alive_interval(HTTP2_PING_INTERVAL)
            .keep_alive_timeout(HTTP2_PING_TIMEOUT);
        http2
    };
    Protocols {
        http1,
        #[cfg(feature = "http2")]
        http2,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use socket2::SockRef;

    #[tokio::test]
    async fn a_peer_that_vanished_is_found_within_a_minute() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let connection = tcp().call(url.parse().unwrap()).await.unwrap();
        let socket = SockRef::from(connection.inner());
        assert!(socket.keepalive().unwrap());
        let (first, interval) = (socket.tcp_keepalive_time().unwrap(), socket.tcp_keepalive_interval().unwrap());
        assert_eq!(first + interval * socket.tcp_keepalive_retries().unwrap(), Duration::from_secs(60));
        assert_eq!((first, interval), (TCP_KEEPALIVE, TCP_KEEPALIVE_INTERVAL));
    }
}
