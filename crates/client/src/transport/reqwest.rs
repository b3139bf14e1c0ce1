//! A transport over `reqwest`, for applications that have a client of its already, with its connections, proxies, cookies.

use std::task::{Context, Poll};

use ::reqwest::{Body, Client, ClientBuilder, Error, redirect::Policy, retry};
use http::{Request, Response};
use tower_service::Service;

use super::{BoxFuture, RequestBody};

/// Sends requests by a [`reqwest::Client`](Client). Cloning shares it.
///
/// [`from_builder`](Self::from_builder) prepares a client as it has to be. One that was built elsewhere comes by `From`:
///
/// - It must be built with `redirect(Policy::none())`. Otherwise redirects are followed before they are seen: events then
///   have the origin of the URL that was asked, and what is sent along is reqwest's to decide.
/// - Its `timeout` must be unset. That one covers the body, so it would end every stream that lasts longer.
///   `read_timeout` ends one that is silent for longer; better have the client's own idle timeout do it.
/// - Its decompression should be off. What it decompresses arrives as if it had never been compressed, but nothing then
///   says that each event is passed on as it comes.
///
/// TLS is whatever the features of reqwest say; this crate enables none of them.
#[derive(Clone, Debug)]
pub struct ReqwestTransport(Client);

impl ReqwestTransport {
    /// Builds a client as it has to be: without redirects, repetitions and decompression of its own. A timeout that was
    /// set stays.
    ///
    /// # Errors
    ///
    /// What the builder was told contradicts itself, or TLS cannot be set up.
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
            let request = request.map(Body::wrap).try_into().map_err(Error::without_url)?;
            // The query may hold a token, and errors end in logs.
            client.execute(request).await.map(Into::into).map_err(Error::without_url)
        })
    }
}
