//! One attempt: from the request to an open event stream, or to what became of it instead.
use crate::{
    Attempt, Cause, Error, HookError, Opened, RedirectError, Text, Verdict,
    config::Config,
    content_type::is_event_stream,
    decode::{Decoded, EncodingError},
    error::EXCERPT_BYTES,
    retry_after::retry_after,
    target::{NotAskable, Target},
    transport::ResponseBody,
};
use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, response::Parts};
use http_body_util::{BodyExt as _, Full};
use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What became of an attempt.
pub(crate) enum Outcome {
    /// An event stream.
    Open(Box<Opened>, ResponseBody),
    /// The server said that there is no more (204).
    Stopped,
    /// Nothing. Whether there is another attempt is for the policy to say.
    Failed(Cause),
    /// Nothing, and there is another attempt if the policy allows as many: at least after this delay, or at once.
    Again(Cause, When),
    /// Nothing, and there never will be.
    Refused(Error),
}

/// When another attempt is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// By the policy, but not sooner than this.
    NotBefore(Duration),
    /// After this, whatever the policy says.
    After(Duration),
    /// By the policy, which is not asked whether.
    Due,
}

/// What an attempt starts from.
pub(crate) struct Start {
    pub number: u64,
    pub last_event_id: Text,
    pub cause: Option<Cause>,
}

/// Makes one attempt.
pub(crate) async fn connect(config: Arc<Config>, start: Start) -> Outcome {
    match attempt(&config, start).await {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

/// The value of the `Last-Event-ID` header, if a header can hold the ID.
pub(crate) fn last_event_id_value(id: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(id.as_bytes()).ok()
}

async fn attempt(config: &Config, start: Start) -> Result<Outcome, Outcome> {
    let last_event_id = start.last_event_id.clone();
    let mut target = prepare(config, start).await?;
    let mut redirects = 0;
    let response = loop {
        let response = send(config, &target).await?;
        let Some(next) = target.redirected(response.status(), response.headers()) else { break response };
        target = next.map_err(|error| Outcome::Refused(Error::Redirect(error)))?;
        redirects += 1;
        if redirects > config.max_redirects {
            let limit = config.max_redirects;
            return Err(Outcome::Refused(Error::Redirect(RedirectError::TooMany { limit })));
        }
    };
    let (parts, body) = response.into_parts();
    Ok(match judge(config, &parts) {
        Judgement::Stream => match decoded(&parts, body) {
            Ok(body) => Outcome::Open(Box::new(Opened { url: target.url, parts, last_event_id }), body),
            Err(error) => Outcome::Refused(Error::Encoding(error)),
        },
        Judgement::Other(outcome) => outcome,
        Judgement::Status => {
            // Of a body in an unknown coding nothing can be said, but of its status.
            let excerpt = match decoded(&parts, body) {
                Ok(body) => excerpt(config, body).await,
                Err(_) => String::new(),
            };
            Outcome::Refused(Error::Status { parts: Box::new(parts), excerpt })
        }
    })
}

/// The body without what `Content-Encoding` says was done to it.
fn decoded(parts: &Parts, body: ResponseBody) -> Result<ResponseBody, EncodingError> {
    let decoded = Decoded::new(body, &parts.headers)?;
    Ok(decoded.into_plain().unwrap_or_else(|decoded| decoded.map_err(Into::into).boxed_unsync()))
}

/// The request of this attempt, as the hook left it.
async fn prepare(config: &Config, start: Start) -> Result<Target, Outcome> {
    let mut target = config.target.clone();
    if !start.last_event_id.is_empty() {
        match last_event_id_value(&start.last_event_id) {
            Some(id) => drop(target.headers.insert(LAST_EVENT_ID, id)),
            // An ID of the builder's headers would be an older one.
            None => drop(target.headers.remove(LAST_EVENT_ID)),
        }
    }
    let Some(hook) = &config.before_attempt else { return Ok(target) };
    let request = target.request().expect("the builder has made a request of it");
    let Start { number, last_event_id, cause } = start;
    match hook(Attempt { number, request, last_event_id, cause }).await {
        Ok(attempt) => Target::of(attempt.request)
            .map_err(|NotAskable| Outcome::Refused(Error::Hook("the hook made a URL that cannot be asked".into()))),
        Err(HookError::Retry(error)) => Err(Outcome::Failed(Cause::Hook(error.into()))),
        Err(HookError::Fail(error)) => Err(Outcome::Refused(Error::Hook(error))),
    }
}

async fn send(config: &Config, target: &Target) -> Result<Response<ResponseBody>, Outcome> {
    let request: Request<Bytes> = target.request().expect("a target that cannot be asked is not made");
    let answer = within(config, config.connect_timeout, config.transport.send(request.map(Full::new))).await;
    match answer {
        Some(Ok(response)) => Ok(response),
        Some(Err(error)) => Err(Outcome::Failed(Cause::Transport(error.into()))),
        None => Err(Outcome::Failed(Cause::ConnectTimeout(config.connect_timeout))),
    }
}

/// What `future` gives within `time`.
async fn within<T>(config: &Config, time: Duration, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), config.clock.sleep(time)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}

enum Judgement {
    Stream,
    Status,
    Other(Outcome),
}

/// What a response means ([WHATWG HTML, 9.2.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#dom-eventsource),
/// "process response"), unless the hook for responses says otherwise.
fn judge(config: &Config, parts: &Parts) -> Judgement {
    let status = parts.status;
    let verdict = config.on_response.as_ref().map_or(Verdict::ByPolicy, |hook| hook(parts));
    Judgement::Other(match verdict {
        Verdict::Accept => return Judgement::Stream,
        Verdict::Fail(error) => Outcome::Refused(Error::Hook(error)),
        Verdict::Retry => Outcome::Again(Cause::Verdict(status), When::Due),
        Verdict::RetryAfter(delay) => Outcome::Again(Cause::Verdict(status), When::After(delay)),
        Verdict::ByPolicy if status == StatusCode::OK && is_event_stream(&parts.headers) => return Judgement::Stream,
        Verdict::ByPolicy if status == StatusCode::OK => {
            let content_type = parts.headers.get(http::header::CONTENT_TYPE).cloned();
            Outcome::Refused(Error::ContentType { content_type })
        }
        Verdict::ByPolicy if status == StatusCode::NO_CONTENT => Outcome::Stopped,
        Verdict::ByPolicy if config.reconnect.retries(status) => {
            let wait = retry_after(&parts.headers, SystemTime::now()).unwrap_or_default();
            Outcome::Again(Cause::Status(status), When::NotBefore(wait))
        }
        Verdict::ByPolicy => return Judgement::Status,
    })
}

/// The beginning of a body that says why a request was refused, as far as it comes.
async fn excerpt(config: &Config, body: ResponseBody) -> String {
    let mut bytes = Vec::new();
    let mut body = pin!(body);
    let read = async {
        while bytes.len() < EXCERPT_BYTES
            && let Some(Ok(frame)) = body.frame().await
        {
            if let Some(data) = frame.data_ref() {
                bytes.extend_from_slice(&data[..data.len().min(EXCERPT_BYTES - bytes.len())]);
            }
        }
    };
    // What has come by then is enough.
    let _ = within(config, config.connect_timeout, read).await;
    String::from_utf8_lossy(&bytes).into_owned()
}
