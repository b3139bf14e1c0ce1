//! A finding: a rule that the stream breaks, and the evidence for this.
use fanfare_mask::masked;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// Browsers do not receive what the server wanted to send.
    Error,
    /// The stream may fail behind proxies, or when a client reconnects.
    Warning,
    /// Nothing fails, but the fact is worth knowing.
    Note,
}

/// A rule that a server of event streams should follow.
#[derive(Debug)]
pub(super) struct Rule {
    /// The name of the rule, which does not change between versions.
    pub name: &'static str,
    pub severity: Severity,
    /// The consequence of breaking the rule.
    pub why: &'static str,
    /// The advice on how to follow the rule.
    pub advice: &'static str,
}

impl Rule {
    /// Makes a finding that the rule is broken. `seen` is the evidence.
    pub(super) fn broken(&'static self, seen: impl Into<String>) -> Finding {
        Finding { rule: self, seen: seen.into() }
    }
}

/// A rule that is broken, with the evidence.
#[derive(Debug)]
pub(super) struct Finding {
    pub rule: &'static Rule,
    /// The evidence: what was seen in the stream. It may contain any characters that a server sends.
    pub seen: String,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Finding", 5)?;
        object.serialize_field("rule", self.rule.name)?;
        object.serialize_field("severity", &self.rule.severity)?;
        object.serialize_field("seen", &self.seen)?;
        object.serialize_field("why", self.rule.why)?;
        object.serialize_field("advice", self.rule.advice)?;
        object.end()
    }
}

/// The length of the longest excerpt of a stream or a header in a report, in bytes.
pub(super) const EXCERPT_BYTES: usize = 100;

/// Returns `bytes` as a report shows them: text unchanged, everything else escaped, and cut after [`EXCERPT_BYTES`].
pub(super) fn excerpt(bytes: &[u8]) -> String {
    // Secrets are masked before the text is cut, because a part of a secret may not be recognised.
    let text = str::from_utf8(bytes).ok().map(masked);
    let bytes = text.as_deref().map_or(bytes, str::as_bytes);
    let shown = &bytes[..bytes.len().min(EXCERPT_BYTES)];
    // If the cut is inside a character, the first bytes of this character are left out. Other bytes that are not UTF-8
    // are shown as hexadecimal numbers.
    let mut text = String::new();
    for part in shown.utf8_chunks() {
        text.extend(part.valid().chars().flat_map(|character| match character {
            '"' | '\'' => character.to_string().chars().collect::<Vec<_>>(),
            other => other.escape_debug().collect(),
        }));
        if shown.len() == bytes.len() || !is_begun(part.invalid()) {
            text.extend(part.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
        }
    }
    if shown.len() < bytes.len() { format!("{text}…") } else { text }
}

/// Returns true if `bytes` ends in the middle of a UTF-8 character, and is valid UTF-8 up to there.
pub(super) fn is_begun(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// Returns a number with its noun: `1 event`, `2 events`.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns the names of the rules that are broken.
    pub(in super::super) fn names(findings: impl IntoIterator<Item = Finding>) -> Vec<&'static str> {
        findings.into_iter().map(|finding| finding.rule.name).collect()
    }

    #[test]
    fn excerpts_are_short_and_harmless() {
        assert_eq!(excerpt(b"data: \"x\"\t\x1b[2J\xff\0"), "data: \"x\"\\t\\u{1b}[2J\\xff\\0");
        let long = "x".repeat(EXCERPT_BYTES);
        assert_eq!(excerpt(long.as_bytes()), long);
        assert_eq!(excerpt(format!("{long}x").as_bytes()), format!("{long}…"));
        let secret = format!("location: http://h/?token={long}");
        assert_eq!(excerpt(secret.as_bytes()), "location: http://h/?token=********");
        let cut = format!("{}é and more", "x".repeat(EXCERPT_BYTES - 1));
        assert_eq!(excerpt(cut.as_bytes()), format!("{}…", "x".repeat(EXCERPT_BYTES - 1)));
    }
}
