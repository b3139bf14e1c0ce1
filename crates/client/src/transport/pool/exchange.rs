//! Sends one request over one connection. After a failure, says if the request may be sent over another connection.
use super::{
    idle::Idle,
    origin::Origin,
    taken::{Sender, Taken},
};
use crate::transport::{
    RequestBody,
    body::HyperBody,
    connector::is_https,
    error::{Failure, HyperError},
};
use http::{HeaderValue, Request, Response, Uri, Version, header::HOST, uri};
use std::sync::Arc;
use tokio::time::Instant;

/// The reason why a request got no response. The variant decides if the request may be sent again over a new
/// connection.
pub(super) enum Unsent {
    /// Nothing of the request was sent.
    Untouched(HyperError),
    /// The server said that it has not processed the request.
    #[cfg(feature = "http2")]
    Refused(HyperError),
    /// The request was sent, and no byte of an answer came.
    Unanswered(HyperError),
    /// A part of an answer came, or may have come.
    Failed(HyperError),
}

impl Unsent {
    pub(super) fn into_error(self) -> HyperError {
        match self {
            Self::Untouched(error) | Self::Unanswered(error) | Self::Failed(error) => error,
            #[cfg(feature = "http2")]
            Self::Refused(error) => error,
        }
    }
}

/// Sends a request over the connection that was taken from the pool, and waits for the head of the response.
pub(super) async fn exchange(
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
                Some(_) => Unsent::Untouched(HyperError::broken(error.into_error())),
                None if wire.is_unanswered() => Unsent::Unanswered(HyperError::broken(error.into_error())),
                None if wire.looks_like_tls() => Unsent::Failed(HyperError::plain(Failure::TlsServer)),
                None => Unsent::Failed(HyperError::broken(error.into_error())),
            })?;
            origin.keep(Idle { sender, wire, is_forwarded, since: Instant::now() });
            Ok(response.map(|body| HyperBody::new(body, None)))
        }
        #[cfg(feature = "http2")]
        Sender::Http2(mut sender, slot) => {
            let sent = sender.try_send_request(request).await;
            let response = sent.map_err(|mut error| match error.take_message() {
                Some(_) => Unsent::Untouched(HyperError::broken(error.into_error())),
                None => of_http2(error.into_error()),
            });
            if let Err(Unsent::Refused(_)) = &response {
                origin.forget(&wire);
            }
            Ok(response?.map(|body| HyperBody::new(body, Some(slot))))
        }
    }
}

/// Prepares a request for HTTP/1.1: adds the `Host` header, and writes the URL in the form that the peer needs.
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

/// Classifies an error of HTTP/2. A server may reset a stream at any time, also after it has processed the request.
/// Only certain errors say that the server has not processed the request ([RFC 9113,
/// 8.7](https://www.rfc-editor.org/rfc/rfc9113#section-8.7)).
#[cfg(feature = "http2")]
fn of_http2(error: hyper::Error) -> Unsent {
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<h2::Error>());
    let sort: fn(HyperError) -> Unsent = match source {
        // After GOAWAY, hyper fails only the streams that the server has not processed.
        Some(error) if error.is_remote() && error.is_go_away() => Unsent::Refused,
        Some(error) if error.is_remote() && error.reason() == Some(h2::Reason::REFUSED_STREAM) => Unsent::Refused,
        Some(error) if !error.is_io() => Unsent::Failed,
        // The connection broke, or its peer did not answer a ping.
        _ => Unsent::Unanswered,
    };
    sort(HyperError::broken(error))
}
