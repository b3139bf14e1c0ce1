//! A hub over HTTP: a batch is the event stream in the body of one request.
use super::{Closed, Failure};
use crate::{
    config::Secret,
    http::{self, Http, HubUrl, Refusal, Unreachable},
    relay::{batch::Item, held::Held},
};
use fanfare_client::transport::HyperBody;
use fanfare_event_stream::Fields;
use fanfare_hub::topic::Topic;
use fanfare_server::settings::DEFAULT_MAX_MATCHERS;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::Bytes,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde::Deserialize;
use std::time::Duration;

/// How long the hub may take to acknowledge a batch, and to read its log: it answers when the updates are on disk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Publishes to a hub.
#[derive(Debug)]
pub(crate) struct RemoteSink {
    http: Http,
    publish: Uri,
    look_up: Uri,
}

/// What the hub says of a batch, published or broken off.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    published: Option<usize>,
    position: Option<String>,
}

impl RemoteSink {
    /// A way to `hub` for updates of `topics`.
    ///
    /// # Errors
    /// [`Unreachable`] if the token or the system's certificates are unfit.
    pub(crate) fn new(
        hub: &HubUrl,
        topics: &[Topic],
        private: bool,
        token: Option<&Secret>,
    ) -> Result<Self, Unreachable> {
        // The hub names only topics that it is asked for, or that the token covers, and what is held is told by its topics.
        let asked = if topics.len() <= DEFAULT_MAX_MATCHERS { topics } else { &topics[..1] };
        let (publish, look_up) = (hub.publish_all(topics, private), hub.replay(asked));
        Ok(Self { http: Http::new(token)?, publish, look_up })
    }

    pub(super) async fn publish(&self, items: &[Item]) -> Result<Option<String>, Failure> {
        let mut body = Vec::new();
        for Item { update, .. } in items {
            let (event_type, id) = (update.event_type(), update.id());
            Fields { event_type, retry_ms: None, id, data: update.data() }.encode_into(&mut body);
        }
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.publish.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        let (status, text) = self
            .in_time(async {
                let answer = self.http.send(request).await?;
                Ok((answer.status(), http::read_text(answer.into_body()).await?))
            })
            .await?;
        let Answer { published, position } = serde_json::from_str(&text).unwrap_or_default();
        if status == StatusCode::OK {
            return Ok(position);
        }
        let refusal = Refusal::new(status, &text);
        match (status, published) {
            (StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE, Some(index)) if index < items.len() => {
                Err(Failure::Refused { index, reason: refusal.reason })
            }
            _ => Err(failure(refusal)),
        }
    }

    pub(super) async fn look_up(&self, after: Option<&str>, held: &mut Held) -> Result<Option<String>, Failure> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.look_up.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/x-ndjson"));
        // An empty one asks where the log ends.
        let after = HeaderValue::from_str(after.unwrap_or_default());
        headers.insert(LAST_EVENT_ID, after.map_err(|error| Failure::Passing(error.to_string()))?);
        let answer = self.in_time(self.http.send(request)).await?;
        if answer.status() != StatusCode::OK {
            let status = answer.status();
            let text = self.in_time(http::read_text(answer.into_body())).await?;
            return Err(failure(Refusal::new(status, &text)));
        }
        let position = answer.headers().get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        self.in_time(read_lines(answer, held)).await?;
        Ok(position)
    }

    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, Unreachable>>) -> Result<T, Failure> {
        let timeout = |_| Unreachable::Timeout { host: http::host(&self.publish) };
        let answered = tokio::time::timeout(ANSWER_TIMEOUT, asked).await.map_err(timeout).flatten();
        answered.map_err(|error| Failure::Passing(error.to_string()))
    }
}

async fn read_lines(answer: Response<HyperBody>, held: &mut Held) -> Result<(), Unreachable> {
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Unreachable::BrokenAnswer(error.into()))?;
        if let Some(bytes) = frame.data_ref() {
            held.read(bytes).map_err(|_| Unreachable::BrokenAnswer("a line has no end".into()))?;
        }
    }
    Ok(())
}

/// Whether a hub that refuses may change its mind.
fn failure(refusal: Refusal) -> Failure {
    let passing = matches!(refusal.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    if passing || refusal.status.is_server_error() {
        Failure::Passing(refusal.to_string())
    } else {
        Failure::Final(Closed::Refused(refusal))
    }
}
