//! Masks secrets in text that is printed or logged. The hub, the client and the command all use these rules.
//!
//! A text is examined word by word and not with a URL parser, because the text often contains a URL that no parser
//! accepts. There are four kinds of secrets: a user name or password in a URL, the value of a parameter whose name says
//! that it is a secret, a JSON Web Token, and the value of a header such as `Authorization`. The first three kinds are
//! also found if they are percent-escaped, as in a URL inside another URL. A word that is masked by mistake only makes
//! the text a little harder to read, but a secret that is shown by mistake must be revoked. So a doubtful word is
//! masked.
//!
//! Time and memory are proportional to the length of the text, since strangers write some of it.
#![forbid(unsafe_code)]

mod escaped;
mod find;
mod name;
mod placeholder;
mod quotation;
mod shortened;
mod text;

pub use name::is_secret_name;
pub use shortened::shortened;
pub use text::masked;

use escaped::Layer;
use std::{borrow::Cow, ops::Range};

/// The text that replaces a secret.
pub const MASK: &str = "********";

/// The greatest number of times that a secret may be percent-escaped and is still found. A word that is escaped more
/// often is masked from its first escape on.
const MAX_ESCAPED: usize = 4;

/// The greatest number of passes over one word. A secret may contain a separator, such as `&`. Once such a secret is
/// masked, the text before and after it is no longer separated, and may together be another secret, which only the next
/// pass finds. If even the last pass is not enough, the whole word is masked.
const MAX_PASSES: usize = 4;

/// Returns a URL with [`MASK`] in place of each secret. The whole text is taken as one URL, even if it contains spaces
/// or quotation marks, or is not a valid URL.
///
/// ```
/// assert_eq!(fanfare_mask::masked_url("/cb?next=%2Fa%3Ftoken%3Db"), "/cb?next=%2Fa%3Ftoken%3D********");
/// ```
#[must_use]
pub fn masked_url(url: &str) -> Cow<'_, str> {
    // Every word with a secret has a `=`, `@` or `%`, or the letters `ey` or `ew` with which a JSON Web Token begins.
    // Nearly all words of a log line have none of them, and need no slower check.
    if !url.bytes().any(|byte| matches!(byte, b'=' | b'@' | b'%')) && !url.contains("ey") && !url.contains("ew") {
        return url.into();
    }
    let Some(mut shown) = masked_once(url) else { return url.into() };
    for _ in 1..MAX_PASSES {
        match masked_once(&shown) {
            Some(again) if again != shown => shown = again,
            _ => return shown.into(),
        }
    }
    let is_masked = masked_once(&shown).is_none_or(|again| again == shown);
    if is_masked { shown.into() } else { MASK.into() }
}

/// Makes one pass over the URL, and returns the URL with the secrets masked that the pass has found; `None` if the pass
/// has found no secret.
fn masked_once(url: &str) -> Option<String> {
    let secrets = secrets(url);
    if secrets.is_empty() {
        return None;
    }
    let (mut shown, mut at) = (String::new(), 0);
    for Range { start, end } in secrets {
        let (start, end) = (url.floor_char_boundary(start), url.ceil_char_boundary(end));
        if start > at || shown.is_empty() {
            shown.push_str(&url[at.min(start)..start]);
            shown.push_str(MASK);
        }
        at = at.max(end);
    }
    shown.push_str(&url[at..]);
    Some(shown)
}

/// Finds the secrets in a word and in its unescaped forms, in order of their positions.
fn secrets(word: &str) -> Vec<Range<usize>> {
    let mut layer = Layer::new(word.as_bytes());
    let mut found = Vec::new();
    let mut spans = Vec::new();
    for unescaped in 0..=MAX_ESCAPED {
        spans.clear();
        find::credentials(layer.bytes(), &mut spans);
        find::parameters(layer.bytes(), &mut spans);
        find::tokens(layer.bytes(), &mut spans);
        found.extend(spans.drain(..).map(|span| layer.source(&span)));
        let Some((next, first)) = layer.unescaped() else { break };
        if unescaped == MAX_ESCAPED {
            found.push(first..word.len());
        }
        layer = next;
    }
    found.sort_unstable_by_key(|span| (span.start, span.end));
    found
}

#[cfg(test)]
mod tests;
