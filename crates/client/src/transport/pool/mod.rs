//! Sends requests over kept connections: an HTTP/1.1 connection is kept for the next request, an HTTP/2 connection
//! serves several requests at a time.
//!
//! A server may close a kept connection at any time, and the client may notice this only after it has sent a request.
//! If nothing of an answer has come, the pool sends the request over another connection, once. A stream of events never
//! ends, so an HTTP/2 connection that carries as many streams as its server allows is full, and the pool opens another
//! one.
//!
//! [`origin`] contains the connections to one origin: the HTTP/1.1 connections in [`idle`], the HTTP/2 connections in
//! [`shared`]. [`connect`] makes new connections; [`share`] makes one for several requests that wait. [`exchange()`]
//! sends one request over one connection.
mod connect;
mod exchange;
mod idle;
mod origin;
#[cfg(feature = "http2")]
mod share;
#[cfg(feature = "http2")]
mod shared;
mod taken;

pub(super) use taken::Slot;

use super::{
    RequestBody,
    body::HyperBody,
    connector::{Connector, is_https},
    error::{Failure, HyperError},
};
use exchange::{Unsent, exchange};
use http::{Method, Request, Response, Uri};
use hyper::client::conn::http1;
#[cfg(feature = "http2")]
use hyper::client::conn::http2;
use origin::Origin;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use taken::{MAX_IDLE_PER_ORIGIN, Taken, Wanted, lock};

/// The setting that says if a request may be sent twice. It is an extension of the request; without it, the method of
/// the request decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repetition {
    /// The request may be sent again.
    Allowed,
    /// The request must not be sent again. It gets a new connection that no other request uses: on a kept connection
    /// that the server has just closed, the request could get lost, and it would not be known if the server has
    /// processed it.
    Forbidden,
}

/// The time for making a connection for a request, as an extension of the request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectTimeout(pub(crate) Duration);

/// The settings of HTTP/1.1 and HTTP/2.
pub(super) struct Protocols {
    pub(super) http1: http1::Builder,
    #[cfg(feature = "http2")]
    pub(super) http2: http2::Builder<hyper_util::rt::TokioExecutor>,
}

/// The pool, which sends requests and keeps the connections to each origin.
pub(super) struct Pool {
    connector: Connector,
    protocols: Protocols,
    origins: Mutex<HashMap<Key, Arc<Origin>>>,
}

/// The key of an origin: a flag that is true for `https`, and a text with the host and the port.
type Key = (bool, String);

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
        let may_reuse = repetition != Some(Repetition::Forbidden);
        let mut kept_to_try = if may_reuse { MAX_IDLE_PER_ORIGIN } else { 0 };
        loop {
            let wanted = Wanted {
                kept: kept_to_try > 0,
                #[cfg(feature = "http2")]
                shared: may_reuse,
                timeout,
            };
            let taken = self.take(&origin, request.uri(), wanted).await?;
            let is_kept = taken.is_kept;
            match exchange(&origin, taken, request.clone()).await {
                Ok(response) => return Ok(response),
                // Nothing of the request was sent, so another connection may be tried, whatever the method is.
                Err(Unsent::Untouched(_)) if is_kept => kept_to_try -= 1,
                #[cfg(feature = "http2")]
                Err(Unsent::Refused(_)) if is_kept => kept_to_try = 0,
                Err(Unsent::Unanswered(_)) if is_kept && may_repeat => kept_to_try = 0,
                Err(unsent) => return Err(unsent.into_error()),
            }
        }
    }

    fn origin(&self, key: Key) -> Arc<Origin> {
        let mut origins = lock(&self.origins);
        if let Some(origin) = origins.get(&key) {
            return Arc::clone(origin);
        }
        // Origins that no request uses and that have no kept connection are removed.
        origins.retain(|_, origin| Arc::strong_count(origin) > 1 || !origin.is_empty());
        Arc::clone(origins.entry(key).or_default())
    }

    /// Takes a kept connection that is free, or makes a new one.
    async fn take(&self, origin: &Arc<Origin>, url: &Uri, wanted: Wanted) -> Result<Taken, HyperError> {
        if wanted.kept
            && let Some(taken) = origin.take_soon().await
        {
            return Ok(taken);
        }
        #[cfg(feature = "http2")]
        if wanted.kept && self.may_share(origin, url) {
            let shared = tokio::time::timeout(wanted.timeout, self.share(origin, url, wanted)).await;
            return shared.unwrap_or_else(|_| Err(HyperError::plain(Failure::ConnectTimeout(wanted.timeout))));
        }
        self.connect(origin, url, wanted).await
    }
}

fn key(url: &Uri) -> Result<Key, HyperError> {
    match (url.scheme_str(), url.authority()) {
        (Some("http" | "https"), Some(authority)) => Ok((is_https(url), authority.as_str().to_ascii_lowercase())),
        _ => Err(HyperError::new(Failure::Request, "its URL is not an absolute http or https URL")),
    }
}

/// Returns true if a request of this method may be sent again although it is not known if the server processed it ([RFC
/// 9110, 9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2); QUERY is safe as well).
fn is_idempotent(method: &Method) -> bool {
    method.is_idempotent() || method.as_str() == "QUERY"
}
