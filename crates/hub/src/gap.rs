//! A gap: what a subscriber asked for and cannot have. It is never silent, and it always says where the stream goes on.
use crate::log::cursor::GapReason;
use serde::{Serialize, Serializer};

/// What a subscriber is told of a gap, as the data of an event of type [`Gap::EVENT_TYPE`] whose ID is `resumed_from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The ID that the subscriber asked to go on behind.
    pub requested: String,
    /// The ID behind which the stream goes on.
    pub resumed_from: String,
    /// Why these two differ.
    #[serde(serialize_with = "in_words")]
    pub reason: GapReason,
}

fn in_words<S: Serializer>(reason: &GapReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.as_str())
}

impl Gap {
    /// The type of the event that tells of a gap.
    pub const EVENT_TYPE: &str = "fanfare.gap";
}
