//! The arguments and the results of the hooks for attempts and for responses.
use crate::{
    BoxError, Cause, Text,
    masked::{MaskedHeaders, mask_text},
};
use bytes::Bytes;
use std::{fmt, time::Duration};

/// A request that is about to be sent, as the hook for attempts gets it. A change by the hook applies to this attempt
/// only: the next attempt begins with the builder's request and the original URL again.
#[non_exhaustive]
pub struct Attempt {
    /// The number of this attempt of the event source, from 1.
    pub number: u64,
    /// The request with all its headers, also `Last-Event-ID` if there is an ID to send.
    pub request: http::Request<Bytes>,
    /// The last event ID; empty if there is none.
    pub last_event_id: Text,
    /// The reason why the previous attempt ended; `None` for the first attempt.
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

/// The reason why the hook for attempts did not return a request. The operator `?` turns any error into
/// [`Retry`](Self::Retry).
#[derive(Debug)]
#[non_exhaustive]
pub enum HookError {
    /// The attempt failed, as if the server could not be reached. The policy decides whether there is another attempt.
    Retry(BoxError),
    /// The attempt is not made, and the event source ends with this error.
    Fail(BoxError),
}

impl<E: std::error::Error + Send + Sync + 'static> From<E> for HookError {
    fn from(error: E) -> Self {
        Self::Retry(error.into())
    }
}

/// The decision of the hook for responses about one response. Redirects have already been followed.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Verdict {
    /// Decide as the standard and the [policy](crate::Reconnect) say.
    #[default]
    ByPolicy,
    /// Read the response as an event stream, whatever its status and content type say.
    Accept,
    /// Make another attempt even if the policy would not do so for this response, after the delay that the policy
    /// computes. [`Reconnect::max_attempts`](crate::Reconnect::max_attempts) still applies.
    Retry,
    /// Make another attempt even if the policy would not do so for this response, after this delay instead of the
    /// policy's. [`Reconnect::max_attempts`](crate::Reconnect::max_attempts) still applies.
    RetryAfter(Duration),
    /// End the event source with this error.
    Fail(BoxError),
}
