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
    /// The policy decides when, but not sooner than this.
    NotBefore(Duration),
    /// After this, whatever the policy says.
    After(Duration),
    /// The policy decides when; it is not asked whether.
    Due,
}

pub(super) enum Judgement {
    Stream,
    /// The server says that there is no more (204).
    Stop,
    /// The hook for responses ends the event source.
    Fail(BoxError),
    /// The response is not an event stream. Its body may say why.
    Refuse(Because),
}

/// The reason why a response is not taken for an event stream.
#[derive(Debug)]
pub(super) enum Because {
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
    /// Returns why there is another attempt, and when; or the error, if there is none.
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

/// Decides what a response means, unless the hook for responses has: that is its `verdict`.
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
