//! Makes the connection to a URL: directly or through a proxy, with TLS or without.
use super::{
    erased::oneshot,
    error::{Failure, HyperError},
    proxy::{Hop, Route, Rules, with_port},
    tls::Tls,
    tunnel,
    wire::{Connect, Io},
};
use crate::BoxError;
use http::{Uri, uri::Scheme};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{HttpConnector, proxy::SocksV5};
use std::{
    error::Error,
    future::{Ready, ready},
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tower_service::Service;

/// Makes the connections of a transport.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) tcp: HttpConnector,
    pub(super) tls: Arc<Tls>,
    pub(super) rules: Arc<Rules>,
    /// True if HTTP/2 is used from the first byte on, without negotiation.
    pub(super) http2_only: bool,
    /// The time for making a connection, unless the request sets another one.
    pub(super) timeout: Duration,
}

impl Connector {
    /// Connects to the origin `origin`, directly or through a proxy, within `timeout`.
    pub(super) async fn connect(&self, origin: Uri, timeout: Duration) -> Result<Connect, HyperError> {
        let route =
            self.rules.route(&origin, self.http2_only).map_err(|error| HyperError::new(Failure::Proxy, error))?;
        let proxy = route.proxy().cloned();
        let mut tcp = self.tcp.clone();
        tcp.set_connect_timeout(Some(timeout));
        let way = Way { tcp, tls: &self.tls, timeout };
        let result = match tokio::time::timeout(timeout, way.follow(route, origin)).await {
            Ok(result) => result,
            Err(_) => Err(HyperError::plain(Failure::ConnectTimeout(timeout))),
        };
        result.map_err(|error| match proxy {
            Some(proxy) => error.with_proxy(proxy),
            None => error,
        })
    }
}

/// The settings of one attempt to connect.
struct Way<'a> {
    tcp: HttpConnector,
    tls: &'a Tls,
    timeout: Duration,
}

impl Way<'_> {
    async fn follow(&self, route: Route, origin: Uri) -> Result<Connect, HyperError> {
        match route {
            Route::Direct => self.reach(self.tcp.clone(), origin).await,
            Route::Forward(Hop { uri, .. }) if is_https(&uri) => {
                let io = oneshot(self.secure_hop().await?, uri).await.map_err(|error| self.of_proxy(error))?;
                Ok(Connect::new(Box::new(io), true))
            }
            Route::Forward(Hop { uri, .. }) => {
                let io = oneshot(self.tcp.clone(), uri).await.map_err(|error| self.of_proxy(error.into()))?;
                Ok(Connect::new(Box::new(io), true))
            }
            Route::Tunnel(hop) if is_https(&hop.uri) => self.tunnel(self.secure_hop().await?, hop, origin).await,
            Route::Tunnel(hop) => self.tunnel(self.tcp.clone(), hop, origin).await,
            Route::Socks { uri, credentials, .. } => {
                let mut socks = SocksV5::new(uri, self.tcp.clone());
                if let Some((user, password)) = credentials {
                    socks = socks.with_auth(user, password);
                }
                let origin = explicit(&origin);
                let io = oneshot(socks, origin.clone()).await.map_err(|error| self.of_proxy(error.into()))?;
                self.reach(Reached(Some(io)), origin).await
            }
        }
    }

    /// Makes the proxy connect to the origin. `way` is the connector that reaches the proxy.
    async fn tunnel<C>(&self, way: C, hop: Hop, origin: Uri) -> Result<Connect, HyperError>
    where
        C: Service<Uri>,
        C::Response: Io + 'static,
        C::Error: Into<BoxError>,
    {
        let origin = explicit(&origin);
        let io = oneshot(way, hop.uri).await.map_err(|error| self.of_proxy(error.into()))?;
        let authority = origin.authority().map_or("", |authority| authority.as_str());
        let io = tunnel::open(io, authority, hop.authorization.as_ref()).await?;
        self.reach(Reached(Some(io)), origin).await
    }

    /// Connects to an origin with the connector `way`, and uses TLS if the origin's URL is `https`.
    async fn reach<C>(&self, way: C, origin: Uri) -> Result<Connect, HyperError>
    where
        C: Service<Uri>,
        C::Response: Io + 'static,
        C::Future: Send + 'static,
        C::Error: Into<BoxError>,
    {
        let io: Box<dyn Io> = if is_https(&origin) {
            let config = self.tls.for_origins().await.map_err(|error| HyperError::new(Failure::Tls, error))?;
            let io = oneshot(HttpsConnector::from((way, config)), origin).await;
            Box::new(io.map_err(|error| self.of_origin(error))?)
        } else {
            Box::new(oneshot(way, origin).await.map_err(|error| self.of_origin(error.into()))?)
        };
        Ok(Connect::new(io, false))
    }

    async fn secure_hop(&self) -> Result<HttpsConnector<HttpConnector>, HyperError> {
        let config = self.tls.for_proxies().await.map_err(|error| HyperError::new(Failure::Proxy, error))?;
        Ok(HttpsConnector::from((self.tcp.clone(), config)))
    }

    fn of_proxy(&self, error: BoxError) -> HyperError {
        HyperError::new(Failure::Proxy, error)
    }

    fn of_origin(&self, error: BoxError) -> HyperError {
        let failure = match innermost(&*error) {
            Innermost::Tls(rustls::Error::InvalidMessage(_)) => Failure::PlainServer,
            Innermost::Tls(_) => Failure::Tls,
            // The time for connecting was divided among the addresses of the host, and none of the addresses answered
            // within its part of the time. So the whole time has passed.
            Innermost::Io(io::ErrorKind::TimedOut) => return HyperError::plain(Failure::ConnectTimeout(self.timeout)),
            Innermost::Io(_) | Innermost::Other => Failure::Connect,
        };
        HyperError::new(failure, error)
    }
}

/// The innermost cause of an error.
enum Innermost<'a> {
    Tls(&'a rustls::Error),
    Io(io::ErrorKind),
    Other,
}

fn innermost<'a>(mut error: &'a (dyn Error + 'static)) -> Innermost<'a> {
    loop {
        if let Some(error) = error.downcast_ref() {
            return Innermost::Tls(error);
        }
        // `get_ref` returns the error that an I/O error wraps. `source` would skip the wrapped error, and return the
        // source of the wrapped error.
        let (wrapped, kind) = match error.downcast_ref::<io::Error>() {
            Some(error) => (error.get_ref().map(|inner| inner as &(dyn Error + 'static)), Some(error.kind())),
            None => (None, None),
        };
        error = match (wrapped.or_else(|| error.source()), kind) {
            (Some(source), _) => source,
            (None, Some(kind)) => return Innermost::Io(kind),
            (None, None) => return Innermost::Other,
        };
    }
}

/// A connector that makes no connection, but returns one that is already made.
struct Reached<T>(Option<T>);

impl<T> Service<Uri> for Reached<T> {
    type Response = T;
    type Error = BoxError;
    type Future = Ready<Result<T, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| "the connection to the proxy was already used".into()))
    }
}

pub(super) fn is_https(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}

fn explicit(origin: &Uri) -> Uri {
    with_port(origin, if is_https(origin) { 443 } else { 80 })
}
