//! An ending: why a stream is about to end, where its subscriber has to do something about it. A stream that ends
//! without one may simply be asked for again.
use serde::{Serialize, Serializer};

/// The last words to a subscriber before its stream ends, as the data of an event of type [`Ending::EVENT_TYPE`]. The
/// event's ID is the place that the subscriber has reached, to go on from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ending {
    /// The reason why the stream ends.
    #[serde(serialize_with = "in_words")]
    pub reason: EndReason,
}

/// The reason why a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndReason {
    /// The token that it was opened with expires. Asked for again with the same token, it is refused, and that closes a
    /// browser's EventSource for good.
    TokenExpired,
}

impl Ending {
    /// The type of the event that tells of an ending.
    pub const EVENT_TYPE: &str = "fanfare.end";
}

impl EndReason {
    /// The word for it on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TokenExpired => "token-expired",
        }
    }
}

fn in_words<S: Serializer>(reason: &EndReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.as_str())
}
