//! A gap: what a subscriber asked for and cannot have. It is never silent, and it always says where the stream goes on.
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// A gap as a subscriber is told of it: as the data of an event of type [`Gap::EVENT_TYPE`] whose ID is `resumed_from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The ID that the subscriber asked to go on behind.
    pub requested: String,
    /// The ID behind which the stream goes on.
    pub resumed_from: String,
    /// The reason why these two differ.
    #[serde(serialize_with = "in_words")]
    pub reason: GapReason,
}

/// The reason why a subscriber may have missed updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// Retention has discarded updates behind the one it saw last, or damage has destroyed them.
    Discarded,
    /// No update that is held has this ID.
    Unknown,
    /// The ID was made by another log, or so long ago that its epoch is forgotten.
    ForeignEpoch,
    /// The ID lies beyond the end of its epoch: that future was lost, in a restored backup or a damaged file.
    Future,
    /// Several updates have this ID, or had it: the stream goes on behind the oldest one that is held.
    Ambiguous,
}

fn in_words<S: Serializer>(reason: &GapReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.as_str())
}

impl Gap {
    /// The type of the event that tells of a gap.
    pub const EVENT_TYPE: &str = "fanfare.gap";

    /// True if `data` tells of a gap: a JSON object with a text `reason`, whatever else it has. A publisher may have
    /// reasons that the hub has not.
    pub(crate) fn is_told_by(data: &str) -> bool {
        serde_json::from_str::<Told<'_>>(data).is_ok_and(|told| !told.reason.is_empty())
            && data.trim_start().starts_with('{')
    }
}

impl GapReason {
    /// The word for it on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discarded => "discarded",
            Self::Unknown => "unknown",
            Self::ForeignEpoch => "foreign-epoch",
            Self::Future => "future",
            Self::Ambiguous => "ambiguous",
        }
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The part of a gap without which it says nothing.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    reason: std::borrow::Cow<'a, str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_says_why_it_is_one() {
        let cases = [
            (r#"{"reason":"left-out"}"#, true),
            (" {\"x\": [1], \"reason\": \"caf\\u00e9 \\\"quoted\\\"\"}\n", true),
            ("", false),
            ("c", false),
            ("{}", false),
            ("null", false),
            (r#"["left-out"]"#, false),
            (r#""reason""#, false),
            (r#"{"reason":""}"#, false),
            (r#"{"reason":1}"#, false),
            (r#"{"reason":"a","reason":"b"}"#, false),
            (r#"{"reason":"a"} x"#, false),
        ];
        for (data, told) in cases {
            assert_eq!(Gap::is_told_by(data), told, "{data}");
        }
    }
}
