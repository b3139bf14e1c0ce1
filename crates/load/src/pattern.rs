//! Patterns, with which subscribers select topics without naming them.
use serde::{Deserialize, Serialize};

/// The syntax of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PatternSyntax {
    /// A [URL Pattern](https://urlpattern.spec.whatwg.org/).
    UrlPattern,
    /// A [URI Template](https://www.rfc-editor.org/rfc/rfc6570).
    UriTemplate,
}

impl PatternSyntax {
    /// Returns a pattern that matches the topic with this number in this run, and no other topic.
    pub(crate) fn pattern(self, run: &str, topic: u32) -> String {
        let any = match self {
            Self::UrlPattern => ":any",
            Self::UriTemplate => "{any}",
        };
        format!("https://load.example/{run}/{topic}/{any}")
    }
}
