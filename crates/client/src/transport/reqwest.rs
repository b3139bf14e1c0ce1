//! A transport over `reqwest`, for applications that already have a `reqwest` client, with its connections, proxies and
//! cookies.

use std::{
    io::{self, ErrorKind},
    task::{Context, Poll},
};

use ::reqwest::{Body, Client, ClientBuilder, Error, redirect::Policy, retry};
use http::{Request, Response};
use tower_service::Service;

use super::erased::{BoxFuture, RequestBody};

/// Sends requests with a [`reqwest::Client`](Client). Clones share the client.
///
/// [`from_builder`](Self::from_builder) builds a client with the right settings. A client that was built elsewhere is
/// converted with `From`. Its settings must be these:
///
/// - It must be built with `redirect(Policy::none())`. Otherwise reqwest follows redirects itself: events then have the
///   origin of the first URL, and reqwest decides which headers the new server gets.
/// - Its `timeout` must be unset. It includes the body, so it would end every stream that lasts longer. `read_timeout`
///   ends a stream that is silent for longer, but the event source's own idle timeout does this better.
/// - Its decompression should be off. It works, but reqwest does not promise to pass each event on as soon as it comes.
///
/// A request of an idempotent method is sent once more if its connection ends before anything of an answer came,
/// because the server may have closed a kept connection before the request reached it. Over HTTP/2 reqwest has one
/// connection to each origin: streams beyond the server's limit wait for each other there, while [`HyperTransport`]
/// opens another connection.
///
/// The features of reqwest decide the TLS library; this crate enables none of them.
///
/// [`HyperTransport`]: https://docs.rs/fanfare-client/latest/fanfare_client/transport/struct.HyperTransport.html
#[derive(Clone, Debug)]
pub struct ReqwestTransport(Client);

impl ReqwestTransport {
    /// Builds a client with the right settings: without redirects, repetitions and decompression. A timeout that the
    /// program has set in `builder` stays.
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
                // The URL is removed from the error: its query may contain a token, and errors are often logged.
                client.execute(request).await.map(Into::into).map_err(Error::without_url)
            };
            match send().await {
                Err(error) if request.method().is_idempotent() && is_unanswered(&error) => send().await,
                answer => answer,
            }
        })
    }
}

/// Returns true if the connection ended before an answer came.
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
        // The text is compared, because the type of hyper's own error is not part of reqwest's interface.
        if source.is_none() && cause.to_string().contains("before message completed") {
            return true;
        }
    }
    false
}
