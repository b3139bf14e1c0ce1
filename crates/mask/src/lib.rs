//! Keeps secrets out of what is printed and logged. One rule for the hub, the client and the command.
//!
//! A text is read as people read it, word by word, and not as a URL parser reads it: what is shown is often a URL that
//! no parser accepts. Four things hold secrets: a URL with a user or a password, a parameter whose name says that its
//! value is a secret, a JSON Web Token, and a header such as `Authorization`. The first three are also found where they
//! are percent-escaped, as URLs within URLs are. What is masked by mistake costs a reader a moment, what is shown by
//! mistake costs a key: so a doubtful word is masked.
//!
//! Time and memory grow with the length of the text and no faster, since strangers write some of it.
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

/// Stands in the place of a secret.
pub const MASK: &str = "********";

/// The number of times that a secret may be escaped and still be found. What is escaped more often is masked whole.
const MAX_ESCAPED: usize = 4;

/// Gives a text that is one URL, or was meant to be, with [`MASK`] in the place of each secret: whatever is in the text
/// is part of the URL, spaces and quotation marks too.
///
/// ```
/// assert_eq!(fanfare_mask::masked_url("/cb?next=%2Fa%3Ftoken%3Db"), "/cb?next=%2Fa%3Ftoken%3D********");
/// ```
#[must_use]
pub fn masked_url(url: &str) -> Cow<'_, str> {
    // Nearly every word of a log line is so.
    if !url.bytes().any(|byte| matches!(byte, b'=' | b'@' | b'%')) && !url.contains("ey") && !url.contains("ew") {
        return url.into();
    }
    let secrets = secrets(url);
    if secrets.is_empty() {
        return url.into();
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
    shown.into()
}

/// Finds the secrets of a word as they stand and in each of the ways to unescape it, in order.
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
