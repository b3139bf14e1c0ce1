//! Fetches a JWK set once: resolves the name in its URL, checks the addresses of the name, and sends the request to the
//! first address that accepts a connection.
use crate::{address::Addresses, freshness::freshness, url::JwksUrl};
use bytes::Bytes;
use fanfare_server::auth::{InvalidKey, MAX_SET_BYTES};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Host;

/// The longest time for one fetch of a JWK set, from resolving the name to the last byte.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time that an address of a JWK set's server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The greatest number of addresses of a JWK set's server that are tried.
const MAX_ADDRESSES: usize = 4;
/// The greatest length of the status line and headers of a response with a JWK set, in bytes.
const MAX_HEAD_BYTES: usize = 32 * 1024;
const AGENT: &str = concat!("fanfare/", env!("CARGO_PKG_VERSION"));

/// A client that fetches JWK sets. A clone is cheap.
#[derive(Clone)]
pub struct Client {
    tls: TlsConnector,
    addresses: Addresses,
}

/// The reason why a JWK set could not be fetched.
#[derive(Debug)]
#[non_exhaustive]
pub enum FetchError {
    /// The name in the URL cannot be resolved.
    Resolve(io::Error),
    /// No connection may be made to any address of the server. The value is the first address.
    Address(SocketAddr),
    /// No address of the server accepts a connection. The value is the error of the last address that was tried.
    Connect(io::Error),
    /// The TLS handshake failed: the server does not prove who it is.
    Tls(io::Error),
    /// The HTTP exchange failed.
    Http(hyper::Error),
    /// The server redirects to another URL. Configure that URL if you trust it.
    Redirect(StatusCode),
    /// The server answers with a status other than 200.
    Status(StatusCode),
    /// The response is larger than [`MAX_SET_BYTES`].
    TooLarge,
    /// The fetch took longer than [`FETCH_TIMEOUT`].
    Timeout,
    /// The response is not a JWK set with a usable key.
    Keys(InvalidKey),
}

/// The result of a fetch that has succeeded.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// The server has not sent the document, because it has not changed since the last fetch (status 304).
    Unchanged {
        /// The time for which the document is fresh.
        fresh_for: Duration,
    },
    /// The document, which the server has sent. It may be the same as before if the server does not look at the `ETag`.
    Document {
        text: Bytes,
        /// The document's `ETag`, with which the next request asks whether the document has changed.
        etag: Option<HeaderValue>,
        /// The time for which the document is fresh.
        fresh_for: Duration,
    },
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Client {
    /// Returns a client that trusts the certificates that the system trusts or, if the variable `SSL_CERT_FILE` names a
    /// file, the certificates in this file.
    #[must_use]
    pub fn new(addresses: Addresses) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        // If the system has no certificates, no server with https is trusted. Then the first fetch fails, and the log
        // says so.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config =
            config.expect("aws-lc-rs supports TLS 1.2 and 1.3").with_root_certificates(roots).with_no_client_auth();
        Self { tls: TlsConnector::from(Arc::new(config)), addresses }
    }

    /// Fetches `url`. If `etag` is given, the server may answer that the document is unchanged.
    pub(crate) async fn fetch(&self, url: &JwksUrl, etag: Option<&HeaderValue>) -> Result<Fetched, FetchError> {
        timeout(FETCH_TIMEOUT, self.exchange(url, etag)).await.unwrap_or(Err(FetchError::Timeout))
    }

    async fn exchange(&self, url: &JwksUrl, etag: Option<&HeaderValue>) -> Result<Fetched, FetchError> {
        let stream = self.connect(url).await?;
        let mut builder = hyper::client::conn::http1::Builder::new();
        builder.max_buf_size(MAX_HEAD_BYTES);
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(FetchError::Http)?;
        // The task that drives the connection ends when `driver` is dropped. So the connection is closed however this
        // function ends.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let answer = sender.send_request(request(url, etag)).await.map_err(FetchError::Http)?;
        read(answer, etag.is_some()).await
    }

    async fn connect(&self, url: &JwksUrl) -> Result<Box<dyn Stream>, FetchError> {
        let tcp = self.connect_tcp(url).await?;
        if !url.is_encrypted() {
            return Ok(Box::new(tcp));
        }
        let name = match url.host() {
            Host::Domain(name) => ServerName::try_from(name.to_owned()),
            Host::Ipv4(address) => Ok(ServerName::from(std::net::IpAddr::from(address))),
            Host::Ipv6(address) => Ok(ServerName::from(std::net::IpAddr::from(address))),
        };
        let name = name.map_err(|error| FetchError::Tls(io::Error::other(error)))?;
        Ok(Box::new(self.tls.connect(name, tcp).await.map_err(FetchError::Tls)?))
    }

    /// Connects to an address that was checked, and to no other address.
    async fn connect_tcp(&self, url: &JwksUrl) -> Result<TcpStream, FetchError> {
        let addresses = self.admitted(url, resolve(url).await.map_err(FetchError::Resolve)?)?;
        let mut last = io::ErrorKind::AddrNotAvailable.into();
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(FetchError::Connect(last))
    }

    /// Returns the addresses to which a connection may be made. Without TLS, only addresses of this machine are
    /// allowed, even if the name of the server also resolves to other addresses.
    fn admitted(&self, url: &JwksUrl, resolved: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, FetchError> {
        let first = resolved.first().copied();
        let admit = |address: &SocketAddr| {
            let ip = address.ip();
            self.addresses.admit(ip) && (url.is_encrypted() || ip.to_canonical().is_loopback())
        };
        let admitted: Vec<_> = resolved.into_iter().filter(admit).collect();
        match (admitted.is_empty(), first) {
            (false, _) => Ok(admitted),
            (true, Some(first)) => Err(FetchError::Address(first)),
            (true, None) => Err(FetchError::Resolve(io::ErrorKind::NotFound.into())),
        }
    }
}

async fn resolve(url: &JwksUrl) -> io::Result<Vec<SocketAddr>> {
    match url.host() {
        Host::Domain(name) => Ok(lookup_host((name, url.port())).await?.collect()),
        Host::Ipv4(address) => Ok(vec![(address, url.port()).into()]),
        Host::Ipv6(address) => Ok(vec![(address, url.port()).into()]),
    }
}

fn request(url: &JwksUrl, etag: Option<&HeaderValue>) -> Request<Empty<Bytes>> {
    let mut request = Request::get(url.path())
        .header(header::HOST, url.authority())
        .header(header::USER_AGENT, AGENT)
        .header(header::ACCEPT, "application/jwk-set+json, application/json")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close");
    if let Some(etag) = etag {
        request = request.header(header::IF_NONE_MATCH, etag);
    }
    request.body(Empty::new()).expect("the path and the host of a URL are valid in a request")
}

async fn read(answer: Response<Incoming>, asked_whether_changed: bool) -> Result<Fetched, FetchError> {
    let fresh_for = freshness(answer.headers());
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED if asked_whether_changed => return Ok(Fetched::Unchanged { fresh_for }),
        status if status.is_redirection() => return Err(FetchError::Redirect(status)),
        status => return Err(FetchError::Status(status)),
    }
    let etag = answer.headers().get(header::ETAG).cloned();
    let body = Limited::new(answer.into_body(), MAX_SET_BYTES).collect().await;
    let text = body.map_err(|error| match error.downcast::<hyper::Error>() {
        Ok(error) => FetchError::Http(*error),
        Err(error) => {
            debug_assert!(error.is::<LengthLimitError>(), "{error}");
            FetchError::TooLarge
        }
    })?;
    Ok(Fetched::Document { text: text.to_bytes(), etag, fresh_for })
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve(error) => write!(f, "the host name of its server cannot be resolved: {error}"),
            Self::Address(address) => {
                write!(
                    f,
                    "its server has the address {}, to which no connection is allowed: it is not on the public \
                     internet, or, for an http URL, not on this machine",
                    address.ip()
                )
            }
            Self::Connect(error) => write!(f, "its server cannot be reached: {error}"),
            Self::Tls(error) => write!(f, "cannot make a TLS connection to its server: {error}"),
            Self::Http(error) => write!(f, "the HTTP exchange failed with its server: {error}"),
            Self::Redirect(status) => write!(f, "its server answers {status}, and redirects are not followed"),
            Self::Status(status) => write!(f, "its server answers {status}"),
            Self::TooLarge => write!(f, "its server answers with more than {MAX_SET_BYTES} bytes"),
            Self::Timeout => write!(f, "its server does not answer within {} s", FETCH_TIMEOUT.as_secs()),
            Self::Keys(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FetchError {}
