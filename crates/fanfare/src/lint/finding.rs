//! A finding: a rule, and what was seen that breaks it.
use fanfare_mask::masked;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

/// The weight of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// Browsers do not get what was meant.
    Error,
    /// It fails behind proxies, or when a connection is resumed.
    Warning,
    /// Worth knowing.
    Note,
}

/// Something that a server of event streams should keep to.
#[derive(Debug)]
pub(super) struct Rule {
    /// Its name, which stays the same between versions.
    pub name: &'static str,
    pub severity: Severity,
    /// The consequence of breaking it.
    pub why: &'static str,
    /// The advice.
    pub advice: &'static str,
}

impl Rule {
    /// Says that it is broken, by what was `seen`.
    pub(super) fn broken(&'static self, seen: impl Into<String>) -> Finding {
        Finding { rule: self, seen: seen.into() }
    }
}

/// A rule that is broken.
#[derive(Debug)]
pub(super) struct Finding {
    pub rule: &'static Rule,
    /// The evidence, exactly; it may hold anything that a server sends.
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

/// The longest excerpt of a stream or a header that is shown, in bytes.
pub(super) const EXCERPT_BYTES: usize = 100;

/// `bytes` as they are shown: text as it is, everything else escaped, and cut where it is long.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    // A secret that was cut may not be known for one.
    let text = str::from_utf8(bytes).ok().map(masked);
    let bytes = text.as_deref().map_or(bytes, str::as_bytes);
    let shown = &bytes[..bytes.len().min(EXCERPT_BYTES)];
    // A character that is cut in two is left out; bytes that are no text are shown by their numbers.
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

/// True if more bytes could make it a character.
pub(super) fn is_begun(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// `1 event`, `2 events`.
pub(super) fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The names of what was found.
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
