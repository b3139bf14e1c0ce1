//! The meaning of a response ([WHATWG HTML,
//! 9.2.2](https://html.spec.whatwg.org/multipage/server-sent-events.html#dom-eventsource), "process response").
use crate::{
    BoxError, Cause, Error, Reconnect, Refused, Verdict, content_type::is_event_stream, retry_after::retry_after,
};
use http::{StatusCode, response::Parts};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// The time when another attempt is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// The policy decides whether there is another attempt, and after which delay. The delay is at least this time.
    NotBefore(Duration),
    /// The hook for responses has decided that there is another attempt after this delay. Of the policy, only the limit
    /// of attempts still applies.
    After(Duration),
    /// The hook for responses has decided that there is another attempt. The policy decides the delay, and its limit of
    /// attempts still applies.
    Due,
}

pub(super) enum Judgement {
    Stream,
    /// The server has no more events (status 204).
    Stop,
    /// The hook for responses ends the event source.
    Fail(BoxError),
    /// The response is not an event stream. Its body is read, because it may say why the server refused.
    Refuse(Because),
}

/// The reason why a response does not count as an event stream.
#[derive(Debug)]
pub(super) enum Because {
    /// The status of the response ends the event source.
    Status,
    /// The status of the response means a temporary problem, so the policy makes another attempt, but not before this
    /// time has passed.
    Passing(Duration),
    /// The content type is not that of an event stream.
    ContentType,
    /// The hook for responses wants another attempt at this time.
    Verdict(When),
}

impl Because {
    /// Returns the reason why this attempt failed and the time of the next attempt, or the error that ends the event
    /// source.
    pub(super) fn outcome(self, refused: Refused) -> Result<(Cause, When), Error> {
        match self {
            Self::Status => {
                let Refused { parts, excerpt } = refused;
                Err(Error::Status { parts: Box::new(parts), excerpt })
            }
            Self::ContentType => {
                let Refused { parts, excerpt } = refused;
                let content_type = parts.headers.get(http::header::CONTENT_TYPE).cloned();
                Err(Error::ContentType { content_type, parts: Box::new(parts), excerpt })
            }
            Self::Passing(wait) => Ok((Cause::Status(Arc::new(refused)), When::NotBefore(wait))),
            Self::Verdict(when) => Ok((Cause::Verdict(Arc::new(refused)), when)),
        }
    }
}

/// Decides what a response means. `verdict` is the decision of the hook for responses, which takes precedence over the
/// policy.
pub(super) fn judge(policy: &Reconnect, parts: &Parts, verdict: Verdict, date: SystemTime) -> Judgement {
    let status = parts.status;
    Judgement::Refuse(match verdict {
        Verdict::Accept => return Judgement::Stream,
        Verdict::Fail(error) => return Judgement::Fail(error),
        Verdict::Retry => Because::Verdict(When::Due),
        Verdict::RetryAfter(delay) => Because::Verdict(When::After(delay)),
        Verdict::ByPolicy if status == StatusCode::OK && is_event_stream(&parts.headers) => return Judgement::Stream,
        Verdict::ByPolicy if status == StatusCode::OK => Because::ContentType,
        Verdict::ByPolicy if status == StatusCode::NO_CONTENT => return Judgement::Stop,
        Verdict::ByPolicy if policy.retries(status) => {
            Because::Passing(retry_after(&parts.headers, date).unwrap_or_default())
        }
        Verdict::ByPolicy => Because::Status,
    })
}
