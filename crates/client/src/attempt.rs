//! The things that hooks see and say.
use crate::{
    BoxError, Cause, Text,
    masked::{MaskedHeaders, mask_text},
};
use bytes::Bytes;
use std::{fmt, time::Duration};

/// A request that is about to be sent, as the hook for attempts sees it. What it changes counts for this attempt alone:
/// the next starts from the builder's request again, and from the original URL.
#[non_exhaustive]
pub struct Attempt {
    /// Counts the attempts of an event source, from 1.
    pub number: u64,
    /// The request, complete with its headers: `Last-Event-ID` too, if there is one to send.
    pub request: http::Request<Bytes>,
    /// The last event ID; empty if there is none.
    pub last_event_id: Text,
    /// The reason why the attempt before ended; `None` for the first.
    pub cause: Option<Cause>,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("number", &self.number)
            .field("method", self.request.method())
            .field("url", &mask_text(&self.request.uri().to_string()))
            .field("headers", &MaskedHeaders(self.request.headers()))
            .field("last_event_id", &self.last_event_id)
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

/// The reason why the hook for attempts has no request. Any error becomes [`Retry`](Self::Retry) by `?`.
#[derive(Debug)]
#[non_exhaustive]
pub enum HookError {
    /// The attempt failed, as if the server could not be reached: the policy decides whether there is another.
    Retry(BoxError),
    /// The event source ends.
    Fail(BoxError),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for HookError {
    fn from(error: E) -> Self {
        Self::Retry(error.into())
    }
}

/// The decision of the hook for responses about one. Redirects have been followed before.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Verdict {
    /// The decision of the standard and of the policy.
    #[default]
    ByPolicy,
    /// It is an event stream, whatever its status and content type say.
    Accept,
    /// Make another attempt after the delay that is due, even where the policy would not.
    Retry,
    /// Make another attempt after this delay, even where the policy would not.
    RetryAfter(Duration),
    /// End the event source.
    Fail(BoxError),
}
