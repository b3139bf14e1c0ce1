//! An ending: an event that tells a subscriber why its stream is about to end. It is sent if the subscriber has to do
//! something before it connects again, such as to get a new token, or if the stream ends because it is complete.
use serde::{Serialize, Serializer};
use std::ops::RangeInclusive;

/// The message to a subscriber before its stream ends. It is sent as the data of an event of type
/// [`Ending::EVENT_TYPE`]. The event's ID is the position that the subscriber has reached, so that it can resume there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ending {
    /// The reason why the stream ends.
    #[serde(serialize_with = "in_words")]
    pub reason: EndReason,
}

/// The shortest and the longest time, in seconds, after which a subscriber reconnects if it was told to come back
/// later.
const RETRY_SECONDS: RangeInclusive<u64> = 30..=120;

/// The reason why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// The token with which the stream was opened expires. A new request with the same token is refused, and a refusal
    /// closes a browser's EventSource permanently.
    TokenExpired,
    /// The hub no longer trusts the key that signed the token with which the stream was opened. A new request with the
    /// same token is refused.
    TokenRevoked,
    /// The reader asked for the updates that were in the log at the time of the request, and has got all of them. To
    /// get those that were published later, it sends another request with this position.
    Now,
    /// The hub cannot serve the subscriber now, for example because it has as many subscribers as it may have. The
    /// subscriber should come back after the reconnection time that is sent with this event.
    Later,
}

impl Ending {
    /// The type of the event that carries an ending.
    pub const EVENT_TYPE: &str = "fanfare.end";
}

impl EndReason {
    /// Returns the reconnection time that is sent with the event, in milliseconds; `None` if the event sets none. It is
    /// random, so that many subscribers do not come back at the same time.
    #[must_use]
    pub fn retry_ms(self, random: &mut fastrand::Rng) -> Option<u64> {
        matches!(self, Self::Later).then(|| random.u64(RETRY_SECONDS) * 1_000 + random.u64(0..1_000))
    }

    /// The reason as it is written in the event's data.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokenExpired => "token-expired",
            Self::TokenRevoked => "token-revoked",
            Self::Now => "now",
            Self::Later => "later",
        }
    }
}

fn in_words<S: Serializer>(reason: &EndReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.as_str())
}
