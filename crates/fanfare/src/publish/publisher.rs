//! One address to publish to.
use super::PublishError;
use crate::{
    config::Secret,
    http::{self, Http, Party, Refusal, Unreachable},
};
use http_body_util::Full;
use hyper::{
    Method, Request, StatusCode, Uri,
    body::Bytes,
    header::{CONTENT_TYPE, HeaderValue},
};
use std::{
    io::{self, Write as _},
    time::Duration,
};

/// How long the hub may take to acknowledge: it answers when the update is on disk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// What is sent in one request.
#[derive(Debug)]
pub(super) enum Body {
    /// The data of one update, as it is.
    Data(String),
    /// Lines, each ended by LF: the data of one update each, published all or none.
    Lines(Vec<u8>),
}

/// Publishes under one topic.
#[derive(Debug)]
pub(super) struct Publisher {
    http: Http,
    uri: Uri,
}

impl Publisher {
    /// Publishes at `uri`, presenting `token`.
    ///
    /// # Errors
    /// [`Unreachable`] if the token or the system's certificates are unfit.
    pub(super) fn new(uri: Uri, token: Option<&Secret>) -> Result<Self, Unreachable> {
        Ok(Self { http: Http::new(token)?, uri })
    }

    /// Publishes and returns the IDs, each ended by LF.
    ///
    /// # Errors
    /// [`PublishError`] if the hub is not reached or refuses.
    ///
    /// # Cancel safety
    /// When cancelled, the updates may be published or not.
    pub(super) async fn publish(&self, body: Body) -> Result<String, PublishError> {
        let (content_type, body) = match body {
            Body::Data(data) => ("text/plain; charset=utf-8", Bytes::from(data)),
            Body::Lines(lines) => ("application/x-ndjson", Bytes::from(lines)),
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let party = Party::hub(&self.uri);
        let asked = async {
            let (head, body) = self.http.send(request).await?.into_parts();
            Ok::<_, Unreachable>((head, http::read_text(&party, body).await?))
        };
        let timeout = |_| Unreachable::Timeout { party: party.clone() };
        match tokio::time::timeout(ANSWER_TIMEOUT, asked).await.map_err(timeout)?? {
            (head, ids) if head.status == StatusCode::OK => Ok(ids),
            (head, text) => Err(PublishError::Refused(Refusal::new(&party, &head, &text))),
        }
    }
}

/// Prints IDs at once. That nobody reads them is no failure: what they name is published.
///
/// # Errors
/// [`PublishError::Print`] if they cannot be written for another reason.
pub(super) fn print(ids: &str) -> Result<(), PublishError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(ids.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(PublishError::Print(error)),
        _ => Ok(()),
    }
}
