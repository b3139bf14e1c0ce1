//! One address to publish to.
use super::{PublishError, lookup::Search};
use crate::{
    config::Secret,
    http::{self, Http, HubUrl, PublishQuery, Refusal, Unreachable},
};
use fanfare_hub::topic::Topic;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, StatusCode, Uri,
    body::{Bytes, Incoming},
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};
use std::{
    io::{self, Write as _},
    ops::ControlFlow,
    time::Duration,
};

/// How long the hub may take to acknowledge: it answers when the update is on disk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The type of an event that says none.
const MESSAGE: &str = "message";

/// What is sent in one request.
#[derive(Debug)]
pub(super) enum Body {
    /// The data of one update, as it is.
    Data(String),
    /// Lines, each ended by LF: the data of one update each, published all or none.
    Lines(Vec<u8>),
}

impl Body {
    /// The data of one update for each of `lines`.
    pub(super) fn lines(lines: &[&str]) -> Self {
        Self::Lines(lines.iter().flat_map(|line| [line.as_bytes(), b"\n"]).flatten().copied().collect())
    }
}

/// Whether lines are in the log that were sent and not answered.
#[derive(Debug)]
pub(super) enum Lookup {
    /// They are, under these IDs, each ended by LF.
    Found(String),
    /// They are not.
    Missing,
    /// It cannot be told, for this reason.
    Unknown(String),
}

/// Publishes under one topic.
#[derive(Debug)]
pub(super) struct Publisher {
    http: Http,
    publish: Uri,
    look_up: Uri,
    topic: Topic,
    event_type: String,
    private: bool,
}

impl Publisher {
    /// Publishes under `topic` to `hub`, presenting `token`.
    ///
    /// # Errors
    /// [`Unreachable`] if the token or the system's certificates are unfit.
    pub(super) fn new(
        hub: &HubUrl,
        topic: &Topic,
        query: &PublishQuery,
        token: Option<&Secret>,
    ) -> Result<Self, Unreachable> {
        Ok(Self {
            http: Http::new(token)?,
            publish: hub.publish(topic.as_str(), query),
            look_up: hub.replay(topic),
            topic: topic.clone(),
            event_type: query.event_type.clone().filter(|name| !name.is_empty()).unwrap_or_else(|| MESSAGE.to_owned()),
            private: query.private,
        })
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
        *request.uri_mut() = self.publish.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let asked = async {
            let answer = self.http.send(request).await?;
            Ok((answer.status(), http::read_text(answer.into_body()).await?))
        };
        match self.in_time(asked).await? {
            (StatusCode::OK, ids) => Ok(ids),
            (status, text) => Err(PublishError::Refused(Refusal::new(status, &text))),
        }
    }

    /// Looks for `lines` in what the hub holds behind the update with the ID `after`.
    ///
    /// # Errors
    /// [`PublishError`] if the hub cannot be asked now.
    pub(super) async fn look_up(&self, after: Option<&str>, lines: &[&str]) -> Result<Lookup, PublishError> {
        let unknown = |why: &str| Ok(Lookup::Unknown(why.to_owned()));
        let Some(after) = after.and_then(|id| HeaderValue::from_str(id).ok()) else {
            return unknown("the answer was lost, and nothing before it was published from here");
        };
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.look_up.clone();
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/x-ndjson"));
        request.headers_mut().insert(LAST_EVENT_ID, after);
        let asked = async {
            let answer = self.http.send(request).await?;
            if answer.status() != StatusCode::OK {
                return Ok(ControlFlow::Break(answer.status()));
            }
            let search = Search::new(self.topic.as_str(), &self.event_type, lines.to_vec());
            Ok(ControlFlow::Continue(found(answer.into_body(), search).await?))
        };
        match self.in_time(asked).await? {
            ControlFlow::Continue(Some(ids)) => Ok(Lookup::Found(ids)),
            // It may be there all the same, and not be shown.
            ControlFlow::Continue(None) if self.private => {
                unknown("the answer was lost, and private updates are not shown")
            }
            ControlFlow::Continue(None) => Ok(Lookup::Missing),
            ControlFlow::Break(status) if status.is_server_error() => {
                Err(PublishError::Refused(Refusal::new(status, "")))
            }
            ControlFlow::Break(status) => {
                unknown(&format!("the answer was lost, and the hub does not let the token subscribe ({status})"))
            }
        }
    }

    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, Unreachable>>) -> Result<T, PublishError> {
        let timeout = |_| Unreachable::Timeout { host: http::host(&self.publish) };
        Ok(tokio::time::timeout(ANSWER_TIMEOUT, asked).await.map_err(timeout)??)
    }
}

async fn found(mut body: Incoming, mut search: Search<'_>) -> Result<Option<String>, Unreachable> {
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Unreachable::BrokenAnswer(error.into()))?;
        if let Some(bytes) = frame.data_ref() {
            search.read(bytes).map_err(|_| Unreachable::BrokenAnswer("a line has no end".into()))?;
        }
    }
    Ok(search.found())
}

/// Prints IDs at once. Breaks when nobody reads them any more, which is no failure: what they name is published.
///
/// # Errors
/// [`PublishError::Print`] if they cannot be written for another reason.
pub(super) fn print(ids: &str) -> Result<ControlFlow<()>, PublishError> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(ids.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
        Err(error) => Err(PublishError::Print(error)),
    }
}
