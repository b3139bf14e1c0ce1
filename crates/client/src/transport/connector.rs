//! From a URL to a connection: directly or through a proxy, with TLS or without.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Uri, uri::Scheme};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::{
    Connected, Connection, HttpConnector,
    proxy::{SocksV5, Tunnel},
};
use tower_service::Service;

use super::{
    BoxError, BoxFuture, oneshot,
    proxy::{Hop, Route, Rules, with_port},
    tls::Tls,
};

/// Makes the connections of a transport.
#[derive(Clone)]
pub(super) struct Connector {
    pub(super) tcp: HttpConnector,
    pub(super) tls: Arc<Tls>,
    pub(super) rules: Arc<Rules>,
    /// HTTP/2 is spoken from the first byte on.
    pub(super) http2_only: bool,
}

impl Service<Uri> for Connector {
    type Response = Connect;
    type Error = BoxError;
    type Future = BoxFuture<Result<Connect, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, origin: Uri) -> Self::Future {
        let this = self.clone();
        Box::pin(async move { this.connect(origin).await })
    }
}

impl Connector {
    async fn connect(self, origin: Uri) -> Result<Connect, BoxError> {
        match self.rules.route(&origin, self.http2_only)? {
            Route::Direct => self.reach(self.tcp.clone(), origin).await,
            Route::Forward(Hop { uri, .. }) if is_https(&uri) => {
                let connection = oneshot(self.secure_hop().await?, uri).await?;
                Ok(Connect { io: Box::new(connection), is_forwarded: true })
            }
            Route::Forward(Hop { uri, .. }) => {
                Ok(Connect { io: Box::new(oneshot(self.tcp.clone(), uri).await?), is_forwarded: true })
            }
            Route::Tunnel(hop) if is_https(&hop.uri) => {
                let tunnel = tunnel(hop, self.secure_hop().await?);
                self.reach(tunnel, explicit(&origin)).await
            }
            Route::Tunnel(hop) => self.reach(tunnel(hop, self.tcp.clone()), explicit(&origin)).await,
            Route::Socks { proxy, credentials } => {
                let mut socks = SocksV5::new(proxy, self.tcp.clone());
                if let Some((user, password)) = credentials {
                    socks = socks.with_auth(user, password);
                }
                self.reach(socks, explicit(&origin)).await
            }
        }
    }

    /// Connects to an origin by `way`, and speaks TLS with it if its URL says so.
    async fn reach<C>(&self, way: C, origin: Uri) -> Result<Connect, BoxError>
    where
        C: Service<Uri>,
        C::Response: Io + 'static,
        C::Future: Send + 'static,
        C::Error: Into<BoxError>,
    {
        let io: Box<dyn Io> = if is_https(&origin) {
            let secure = HttpsConnector::from((way, self.tls.for_origins().await?));
            Box::new(oneshot(secure, origin).await?)
        } else {
            Box::new(oneshot(way, origin).await.map_err(Into::into)?)
        };
        Ok(Connect { io, is_forwarded: false })
    }

    async fn secure_hop(&self) -> Result<HttpsConnector<HttpConnector>, BoxError> {
        Ok(HttpsConnector::from((self.tcp.clone(), self.tls.for_proxies().await?)))
    }
}

fn tunnel<C>(hop: Hop, way: C) -> Tunnel<C> {
    let tunnel = Tunnel::new(hop.uri, way);
    match hop.authorization {
        Some(authorization) => tunnel.with_auth(authorization),
        None => tunnel,
    }
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}

fn explicit(origin: &Uri) -> Uri {
    with_port(origin, if is_https(origin) { 443 } else { 80 })
}

/// A connection of whichever layers.
pub(super) struct Connect {
    io: Box<dyn Io>,
    /// The peer is a proxy that wants to read the whole URL.
    is_forwarded: bool,
}

trait Io: Read + Write + Connection + Send + Unpin {}

impl<T: Read + Write + Connection + Send + Unpin> Io for T {}

impl Connection for Connect {
    fn connected(&self) -> Connected {
        self.io.connected().proxy(self.is_forwarded)
    }
}

impl Read for Connect {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_read(context, buffer)
    }
}

impl Write for Connect {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(context)
    }
}
