//! A transport over `reqwest`, for applications that have a client of its already, with its connections, proxies,
//! cookies.

use std::{
    io::{self, ErrorKind},
    task::{Context, Poll},
};

use ::reqwest::{Body, Client, ClientBuilder, Error, redirect::Policy, retry};
use http::{Request, Response};
use tower_service::Service;

use super::erased::{BoxFuture, RequestBody};

/// Sends requests by a [`reqwest::Client`](Client). Cloning shares it.
///
/// [`from_builder`](Self::from_builder) prepares a client as it has to be. One that was built elsewhere comes by
/// `From`:
///
/// - It must be built with `redirect(Policy::none())`. Otherwise redirects are followed before they are seen: events
///   then have the origin of the URL that was asked, and what is sent along is reqwest's to decide.
/// - Its `timeout` must be unset. That one covers the body, so it would end every stream that lasts longer.
///   `read_timeout` ends one that is silent for longer; better have the client's own idle timeout do it.
/// - Its decompression should be off. What it decompresses arrives as if it had never been compressed, but nothing then
///   says that each event is passed on as it comes.
///
/// A request of an idempotent method whose connection ends before anything of an answer came is sent once more: it may
/// have gone out over a connection that was kept and that its server had closed. Over HTTP/2 reqwest has one connection
/// to each origin: more streams than its server allows at a time wait for each other there, and [`HyperTransport`]
/// opens another.
///
/// TLS is whatever the features of reqwest say; this crate enables none of them.
///
/// [`HyperTransport`]: https://docs.rs/fanfare-client/latest/fanfare_client/transport/struct.HyperTransport.html
#[derive(Clone, Debug)]
pub struct ReqwestTransport(Client);

impl ReqwestTransport {
    /// Builds a client as it has to be: without redirects, repetitions and decompression. A timeout that was
    /// set stays.
    ///
    /// # Errors
    ///
    /// Fails if the settings of the builder contradict each other, or TLS cannot be set up.
    pub fn from_builder(builder: ClientBuilder) -> Result<Self, Error> {
        let builder = builder.redirect(Policy::none()).retry(retry::never());
        builder.no_gzip().no_brotli().no_zstd().no_deflate().build().map(Self)
    }
}

impl From<Client> for ReqwestTransport {
    fn from(client: Client) -> Self {
        Self(client)
    }
}

impl Service<Request<RequestBody>> for ReqwestTransport {
    type Response = Response<Body>;
    type Error = Error;
    type Future = BoxFuture<Result<Self::Response, Error>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let send = || async {
                let request = request.clone().map(Body::wrap).try_into().map_err(Error::without_url)?;
                // The query may hold a token, and errors end in logs.
                client.execute(request).await.map(Into::into).map_err(Error::without_url)
            };
            match send().await {
                Err(error) if request.method().is_idempotent() && is_unanswered(&error) => send().await,
                answer => answer,
            }
        })
    }
}

/// True if the connection ended before an answer came.
fn is_unanswered(error: &Error) -> bool {
    if !error.is_request() || error.is_connect() || error.is_timeout() {
        return false;
    }
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(error) = cause.downcast_ref::<io::Error>() {
            return matches!(
                error.kind(),
                ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
                    | ErrorKind::UnexpectedEof
            );
        }
        source = cause.source();
        // hyper's own error, whose type is not part of reqwest's interface.
        if source.is_none() && cause.to_string().contains("before message completed") {
            return true;
        }
    }
    false
}
