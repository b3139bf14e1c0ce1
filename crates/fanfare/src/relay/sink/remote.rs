//! Publishes to a hub over HTTP: a batch is an event stream in the body of one request.
use super::failure::{Closed, Failure};
use crate::{
    http::{self, ANSWER_TIMEOUT, ConnectArgs, Http, HubArgs, Party, Refusal, Unreachable},
    relay::{batch::Item, error::RelayError, held::Held},
};
use fanfare_event_stream::Fields;
use fanfare_hub::topic::Topic;
use fanfare_server::settings::DEFAULT_MAX_TOPICS;
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, StatusCode, Uri,
    body::Bytes,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde::Deserialize;
use std::{error::Error, time::Duration};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The hub that a relay publishes to, if it is reached over HTTP.
#[derive(Debug)]
pub(crate) struct RemoteSink {
    http: Http,
    party: Party,
    publish: Uri,
    look_up: Uri,
}

/// The hub's answer to a batch. The hub has published the whole batch, or only its first `published` updates.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    published: Option<usize>,
    position: Option<String>,
}

impl RemoteSink {
    /// Makes a sink to `hub` for updates of `topics`. `connect` has the options for the connection.
    ///
    /// # Errors
    /// [`RelayError`] if the token or the certificates cannot be used, or if the topics are too long for the URL of a
    /// request.
    pub(crate) fn new(
        (hub, connect): (&HubArgs, &ConnectArgs),
        topics: &[Topic],
        private: bool,
    ) -> Result<Self, RelayError> {
        // The hub names only those topics of an update that are asked for or that the token covers, and the relay
        // recognises its updates by their topics. So all topics are asked for, unless they are more than a hub allows
        // by default: then only the first topic is asked for.
        let asked = if topics.len() <= DEFAULT_MAX_TOPICS { topics } else { &topics[..1] };
        let url = &hub.hub;
        let uris = url.publish_all(topics, private).and_then(|publish| Ok((publish, url.replay(asked)?)));
        let (publish, look_up) = uris.map_err(RelayError::TooLong)?;
        let transport = connect.transport().map_err(RelayError::Certificates)?;
        let http = Http::new(transport, hub.token()).map_err(RelayError::Hub)?;
        Ok(Self { http, party: Party::hub(&publish), publish, look_up })
    }

    pub(super) async fn publish(&self, items: &[Item]) -> Result<Option<String>, Failure> {
        let mut body = Vec::new();
        for Item { update, .. } in items {
            let (event_type, id) = (update.event_type(), update.id());
            Fields { event_type, retry_ms: None, id, data: update.data() }.encode_into(&mut body);
        }
        let patience = http::answer_timeout(body.len());
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.publish.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        let asked = async {
            let (head, body) = self.http.send(request).await?.into_parts();
            Ok((head, http::read_text(&self.party, body).await?))
        };
        let (head, text) = in_time(&self.party, patience, asked).await?;
        let status = head.status;
        let Answer { published, position } = serde_json::from_str(&text).unwrap_or_default();
        if status == StatusCode::OK {
            return Ok(position);
        }
        let refusal = Refusal::new(&self.party, &head, &text);
        match (status, published) {
            (StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE, Some(index)) if index < items.len() => {
                let may_be_id = status == StatusCode::BAD_REQUEST;
                Err(Failure::Refused { index, reason: refusal.reason, may_be_id })
            }
            (StatusCode::PAYLOAD_TOO_LARGE, None) => Err(Failure::TooLarge(refusal.to_string())),
            _ => Err(failure(refusal)),
        }
    }

    pub(super) async fn look_up(&self, after: Option<&str>, held: &mut Held) -> Result<Option<String>, Failure> {
        let mut request = Request::new(Full::default());
        *request.uri_mut() = self.look_up.clone();
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/x-ndjson"));
        // An empty ID asks for no updates, and the answer tells the position of the end of the log.
        let after = HeaderValue::from_str(after.unwrap_or_default());
        headers.insert(LAST_EVENT_ID, after.map_err(|error| Failure::Passing(error.to_string()))?);
        let answer = in_time(&self.party, ANSWER_TIMEOUT, self.http.send(request)).await?;
        if answer.status() != StatusCode::OK {
            let (head, body) = answer.into_parts();
            let text = in_time(&self.party, ANSWER_TIMEOUT, http::read_text(&self.party, body)).await?;
            return Err(failure(Refusal::new(&self.party, &head, &text)));
        }
        let position = answer.headers().get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        read_lines(&self.party, answer.into_body(), held).await?;
        Ok(position)
    }
}

async fn in_time<T>(
    party: &Party,
    patience: Duration,
    asked: impl Future<Output = Result<T, Unreachable>>,
) -> Result<T, Failure> {
    let timeout = |_| Unreachable::Timeout { party: party.clone() };
    let answered = tokio::time::timeout(patience, asked).await.map_err(timeout).flatten();
    answered.map_err(|error| Failure::Passing(error.to_string()))
}

/// Reads the lines of an answer. They may be many, so only the time between two pieces of the answer is limited.
async fn read_lines<B>(party: &Party, mut body: B, held: &mut Held) -> Result<(), Failure>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Unpin,
{
    let broken = |error| Unreachable::BrokenAnswer { party: party.clone(), error };
    loop {
        let next = async { body.frame().await.transpose().map_err(|error| broken(error.into())) };
        let Some(frame) = in_time(party, ANSWER_TIMEOUT, next).await? else { return Ok(()) };
        if let Some(bytes) = frame.data_ref() {
            let read = held.read(bytes).map_err(|_| broken("a line of the hub's log is too long".into()));
            read.map_err(|error| Failure::Passing(error.to_string()))?;
        }
    }
}

/// Converts a refusal: to [`Failure::Passing`] if a later attempt may succeed, otherwise to [`Failure::Final`].
fn failure(refusal: Refusal) -> Failure {
    let passing = matches!(refusal.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
    if passing || refusal.status.is_server_error() {
        Failure::Passing(refusal.to_string())
    } else {
        Failure::Final(Closed::Refused(refusal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Frame;
    use std::{
        convert::Infallible,
        pin::Pin,
        task::{Context, Poll, ready},
    };
    use tokio::time::{Sleep, sleep};

    /// An answer of which an empty line comes after each of these pauses, in seconds.
    struct Answer(Vec<(Pin<Box<Sleep>>, Duration)>);

    impl Answer {
        fn new(pauses: &[u64]) -> Self {
            let pauses = pauses.iter().rev().map(|pause| Duration::from_secs(*pause));
            Self(pauses.map(|pause| (Box::pin(sleep(pause)), pause)).collect())
        }
    }

    impl Body for Answer {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            let Some((pause, _)) = self.0.last_mut() else { return Poll::Ready(None) };
            ready!(pause.as_mut().poll(cx));
            self.0.pop();
            if let Some((next, pause)) = self.0.last_mut() {
                next.as_mut().reset(tokio::time::Instant::now() + *pause);
            }
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"\n")))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_log_of_a_hub_may_come_slowly_but_must_not_stop() {
        let party = Party::hub(&Uri::from_static("http://hub.example/"));
        let mut held = Held::new(&[]);
        let steady = read_lines(&party, Answer::new(&[50; 10]), &mut held).await;
        assert!(steady.is_ok(), "{steady:?}");
        let stopped = read_lines(&party, Answer::new(&[1, 61]), &mut held).await;
        assert!(matches!(stopped, Err(Failure::Passing(_))), "{stopped:?}");
    }
}
