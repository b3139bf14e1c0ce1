//! The parts of one attempt: its request, the redirects, and the response.
use super::judge::Because;
use crate::{EncodingError, RedirectError, Refused, Text, error::EXCERPT_BYTES, target::Target};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, response::Parts};
use std::time::{Duration, SystemTime};

pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A request that was sent, and has no response yet.
pub(crate) struct Exchange {
    pub target: Target,
    /// The last event ID that the request sends.
    pub last_event_id: Text,
    /// The deadline for the head of the response.
    pub until: Duration,
    /// The number of redirects that this attempt has followed.
    redirects: u8,
}

impl Exchange {
    pub(crate) fn new(target: Target, until: Duration) -> Self {
        // The ID is read from the headers of the request, because the hook for attempts may have set another ID there
        // than the session's.
        let value = target.headers.get(LAST_EVENT_ID).map(HeaderValue::as_bytes).unwrap_or_default();
        let last_event_id = String::from_utf8_lossy(value).as_ref().into();
        Self { target, last_event_id, until, redirects: 0 }
    }

    /// If the response is a redirect, replaces the request by the request to the redirect's target. Returns `None` if
    /// the response is not a redirect.
    pub(crate) fn follow(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        limit: u8,
    ) -> Option<Result<(), RedirectError>> {
        let target = match self.target.redirected(status, headers)? {
            Ok(target) => target,
            Err(error) => return Some(Err(error)),
        };
        if self.redirects >= limit {
            return Some(Err(RedirectError::TooMany { limit }));
        }
        self.redirects += 1;
        self.target = target;
        Some(Ok(()))
    }
}

/// The head of a response, with facts that the driver has found out about the response.
pub(crate) struct Answer {
    pub parts: Parts,
    /// The reason why the body cannot be decoded; `None` if it can.
    pub undecodable: Option<EncodingError>,
    /// The time when the response came. A date in `Retry-After` is compared with this time.
    pub date: SystemTime,
}

/// A response that is not an event stream, while its body is read.
pub(crate) struct Refusal {
    because: Because,
    parts: Parts,
    excerpt: Vec<u8>,
    /// The deadline for reading the body. The part of the body that has come before this time is the excerpt.
    pub until: Duration,
}

impl Refusal {
    /// The longest time for which the client reads the body of a response that is not an event stream. The body may say
    /// why the server refused, but the next attempt has to wait until the body is read.
    pub(crate) const EXCERPT_TIMEOUT: Duration = Duration::from_secs(5);

    pub(crate) fn new(because: Because, parts: Parts, now: Duration) -> Self {
        Self { because, parts, excerpt: Vec::new(), until: now.saturating_add(Self::EXCERPT_TIMEOUT) }
    }

    /// Adds a piece of the body to the excerpt. Returns true if the excerpt has room for more.
    pub(crate) fn receive(&mut self, piece: &[u8]) -> bool {
        let free = EXCERPT_BYTES - self.excerpt.len();
        self.excerpt.extend_from_slice(&piece[..piece.len().min(free)]);
        self.excerpt.len() < EXCERPT_BYTES
    }

    pub(crate) fn into_refused(self) -> (Because, Refused) {
        let Self { because, parts, excerpt, .. } = self;
        (because, Refused { parts, excerpt: String::from_utf8_lossy(&excerpt).into_owned() })
    }
}
