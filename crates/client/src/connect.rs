//! One attempt: from the request to an open event stream, or to what became of it instead.
use crate::{
    Attempt, BoxError, Cause, Error, HookError, Opened, RedirectError, Refused, Text, Verdict, Warning,
    config::Config,
    content_type::is_event_stream,
    decode::{Decoded, EncodingError, unknown_codings},
    error::EXCERPT_BYTES,
    retry_after::retry_after,
    target::{NotAskable, Target},
    transport::ResponseBody,
};
use bytes::Bytes;
use futures_util::future::{Either, select};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header::COOKIE, response::Parts};
use http_body_util::{BodyExt as _, Full};
use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The result of an attempt.
pub(crate) enum Outcome {
    /// An event stream, and what is odd about it.
    Open(Box<Opened>, ResponseBody, Option<Warning>),
    /// The server said that there is no more (204).
    Stopped,
    /// Nothing. Whether there is another attempt is for the policy to say.
    Failed(Cause),
    /// Nothing, and there is another attempt if the policy allows as many: at least after this delay, or at once.
    Again(Cause, When),
    /// Nothing, and there never will be.
    Refused(Error),
}

/// The time when another attempt is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// The policy decides when, but not sooner than this.
    NotBefore(Duration),
    /// After this, whatever the policy says.
    After(Duration),
    /// The policy decides when; it is not asked whether.
    Due,
}

/// The state that an attempt starts from.
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

/// The time for which the body of a response that refuses is waited for: it says why, and holds up what comes next.
const EXCERPT_TIMEOUT: Duration = Duration::from_secs(5);

async fn attempt(config: &Config, start: Start) -> Result<Outcome, Outcome> {
    let mut target = prepare(config, start).await?;
    let last_event_id = sent_last_event_id(&target);
    let mut redirects = 0;
    let response = loop {
        let response = send(config, &target).await?;
        if let Some(cookies) = &config.cookies {
            cookies.store(&target.url, response.headers());
        }
        let Some(next) = target.redirected(response.status(), response.headers()) else { break response };
        target = next.map_err(|error| Outcome::Refused(Error::Redirect(error)))?;
        redirects += 1;
        if redirects > config.max_redirects {
            let limit = config.max_redirects;
            return Err(Outcome::Refused(Error::Redirect(RedirectError::TooMany { limit })));
        }
    };
    let (parts, body) = response.into_parts();
    let because = match judge(config, &parts) {
        Judgement::Stream => {
            let body = decoded(&parts, body).map_err(|error| Outcome::Refused(Error::Encoding(error)))?;
            let unknown = unknown_codings(&parts.headers);
            let warning = (!unknown.is_empty()).then(|| Warning::UnknownEncoding { coding: unknown.join(", ") });
            return Ok(Outcome::Open(Box::new(Opened { url: target.url, parts, last_event_id }), body, warning));
        }
        Judgement::Other(outcome) => return Ok(outcome),
        Judgement::Refused(because) => because,
    };
    // Of a body in a coding that cannot be undone nothing can be said, but of its head.
    let excerpt = match decoded(&parts, body) {
        Ok(body) => excerpt(config, body).await,
        Err(_) => String::new(),
    };
    Ok(because.outcome(Refused { parts, excerpt }))
}

/// The last event ID that the server is told. A hook may have said another one than the event source knows.
fn sent_last_event_id(target: &Target) -> Text {
    let value = target.headers.get(LAST_EVENT_ID).map(HeaderValue::as_bytes).unwrap_or_default();
    String::from_utf8_lossy(value).as_ref().into()
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
    let mut request: Request<Bytes> = target.request().expect("a target that cannot be asked is not made");
    if let Some(cookies) = &config.cookies
        && let Some(value) = cookies.header(&target.url, target.headers.get(COOKIE))
    {
        request.headers_mut().insert(COOKIE, value);
    }
    for_transport(config, &mut request);
    let answer = within(config, config.response_timeout, config.transport.send(request.map(Full::new))).await;
    match answer {
        Some(Ok(response)) => Ok(response),
        Some(Err(error)) => Err(Outcome::Failed(no_answer(error))),
        None => Err(Outcome::Failed(Cause::ResponseTimeout(config.response_timeout))),
    }
}

/// Says what the transport of this crate has to know beside the request.
#[cfg(feature = "hyper")]
fn for_transport(config: &Config, request: &mut Request<Bytes>) {
    use crate::transport::{ConnectTimeout, Repetition};
    let extensions = request.extensions_mut();
    if let Some(timeout) = config.connect_timeout {
        extensions.insert(ConnectTimeout(timeout));
    }
    extensions.insert(if config.repeat { Repetition::Allowed } else { Repetition::Forbidden });
}

#[cfg(not(feature = "hyper"))]
fn for_transport(_: &Config, _: &mut Request<Bytes>) {}

fn no_answer(error: BoxError) -> Cause {
    #[cfg(feature = "hyper")]
    if let Some(error) = error.downcast_ref::<crate::transport::HyperError>()
        && let crate::transport::Failure::ConnectTimeout(time) = error.failure()
    {
        return Cause::ConnectTimeout(*time);
    }
    Cause::Transport(error.into())
}

/// The output of `future`, if it comes within `time`.
async fn within<T>(config: &Config, time: Duration, future: impl Future<Output = T>) -> Option<T> {
    match select(pin!(future), config.clock.sleep(time)).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}

enum Judgement {
    Stream,
    Refused(Because),
    Other(Outcome),
}

/// The reason why a response is not taken for an event stream.
enum Because {
    /// The status, which ends the event source.
    Status,
    /// The status, which passes, after this time at least.
    Passing(Duration),
    /// The content type.
    ContentType,
    /// The hook for responses wants another attempt.
    Verdict(When),
}

impl Because {
    fn outcome(self, refused: Refused) -> Outcome {
        match self {
            Self::Status => {
                let Refused { parts, excerpt } = refused;
                Outcome::Refused(Error::Status { parts: Box::new(parts), excerpt })
            }
            Self::ContentType => {
                let Refused { parts, excerpt } = refused;
                let content_type = parts.headers.get(http::header::CONTENT_TYPE).cloned();
                Outcome::Refused(Error::ContentType { content_type, parts: Box::new(parts), excerpt })
            }
            Self::Passing(wait) => Outcome::Again(Cause::Status(Arc::new(refused)), When::NotBefore(wait)),
            Self::Verdict(when) => Outcome::Again(Cause::Verdict(Arc::new(refused)), when),
        }
    }
}

/// Decides what a response means ([WHATWG HTML,
/// 9.2.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#dom-eventsource), "process response"), unless
/// the hook for responses says otherwise.
fn judge(config: &Config, parts: &Parts) -> Judgement {
    let status = parts.status;
    let verdict = config.on_response.as_ref().map_or(Verdict::ByPolicy, |hook| hook(parts));
    Judgement::Refused(match verdict {
        Verdict::Accept => return Judgement::Stream,
        Verdict::Fail(error) => return Judgement::Other(Outcome::Refused(Error::Hook(error))),
        Verdict::Retry => Because::Verdict(When::Due),
        Verdict::RetryAfter(delay) => Because::Verdict(When::After(delay)),
        Verdict::ByPolicy if status == StatusCode::OK && is_event_stream(&parts.headers) => return Judgement::Stream,
        Verdict::ByPolicy if status == StatusCode::OK => Because::ContentType,
        Verdict::ByPolicy if status == StatusCode::NO_CONTENT => return Judgement::Other(Outcome::Stopped),
        Verdict::ByPolicy if config.reconnect.retries(status) => {
            Because::Passing(retry_after(&parts.headers, SystemTime::now()).unwrap_or_default())
        }
        Verdict::ByPolicy => Because::Status,
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
    let _ = within(config, EXCERPT_TIMEOUT, read).await;
    String::from_utf8_lossy(&bytes).into_owned()
}
