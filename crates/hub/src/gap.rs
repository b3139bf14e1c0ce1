//! A gap: tells a subscriber that updates it asked for are missing, and where the stream continues. Missing updates are
//! always reported.
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// A gap as it is sent to a subscriber: as the data of an event of type [`Gap::EVENT_TYPE`] whose ID is `resumed_from`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The ID after which updates may be missing: the last event ID that the subscriber sent, or the position before
    /// the missing updates.
    pub requested: String,
    /// The ID after which the stream continues.
    pub resumed_from: String,
    /// The reason why the subscriber may have missed updates between `requested` and `resumed_from`.
    #[serde(serialize_with = "in_words")]
    pub reason: GapReason,
}

/// The reason why a subscriber may have missed updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// Updates after the last one that the subscriber saw were discarded by retention or destroyed by damage.
    Discarded,
    /// No update in the log has the requested ID.
    Unknown,
    /// Another log made the requested ID, or the ID is so old that this log has forgotten its epoch.
    ForeignEpoch,
    /// The requested ID is beyond the end of its epoch: updates at the end of the epoch were lost when a backup was
    /// restored or a file was damaged.
    Future,
    /// Several updates have or had the requested ID: the stream continues after the oldest of these updates in the log.
    Ambiguous,
}

fn in_words<S: Serializer>(reason: &GapReason, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reason.as_str())
}

impl Gap {
    /// The type of the event that carries a gap.
    pub const EVENT_TYPE: &str = "fanfare.gap";

    /// True if `data` is the data of a gap event: a JSON object with the field `reason`, which is a non-empty text.
    /// Other fields are allowed. A publisher may send reasons that the hub does not know.
    pub(crate) fn is_told_by(data: &str) -> bool {
        serde_json::from_str::<Told<'_>>(data).is_ok_and(|told| !told.reason.is_empty())
            && data.trim_start().starts_with('{')
    }
}

impl GapReason {
    /// The reason as it is written in the event's data.
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

/// The data of a gap event. Only the field `reason` is checked, because no other field is required.
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
