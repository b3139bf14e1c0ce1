//! Keeps secrets out of what is printed and logged. One rule for the hub, the client and the command.
//!
//! A text is read as people read it, word by word, and not as a URL parser reads it: what is shown is often a URL that no
//! parser accepts. Three things hold secrets: a URL with a user or a password, a parameter whose name says that its value is
//! a secret, and a JSON Web Token; each of them also where it is percent-escaped, as URLs within URLs are. What is masked by
//! mistake costs a reader a moment, what is shown by mistake costs a key: so a doubtful word is masked.
//!
//! Time and memory grow with the length of the text and no faster, since strangers write some of it.
#![forbid(unsafe_code)]

mod escaped;
mod find;
mod name;
mod placeholder;

pub use name::is_secret_name;

use escaped::Layer;
use placeholder::is_placeholder;
use std::{borrow::Cow, ops::Range};

/// Stands in the place of a secret.
pub const MASK: &str = "********";

/// How many times a secret may be escaped and still be found. What is escaped more often is masked whole.
const MAX_ESCAPED: usize = 4;
/// Headers whose whole value is a secret. So is that of a header with a hyphen whose name says so.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// Gives the text with [`MASK`] in the place of each secret that can be told by its form.
///
/// ```
/// let shown = fanfare_mask::masked("cannot reach https://me:pw@example.com/events?topic=a&token=b: timeout");
/// assert_eq!(shown, "cannot reach https://********@example.com/events?topic=a&token=********: timeout");
/// ```
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let mut result = String::new();
    let (mut changed, mut in_header) = (false, false);
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|character| !is_separator(character)).unwrap_or(rest.len());
        let (between, after) = rest.split_at(end);
        // A header ends where its quotation or its line does.
        in_header &= between.chars().all(|character| matches!(character, ' ' | '\t'));
        result.push_str(between);
        let end = after.find(is_separator).unwrap_or(after.len());
        let (word, after) = after.split_at(end);
        rest = after;
        let value = if in_header { word } else { behind_header_name(word).unwrap_or(word) };
        let name = &word[..word.len() - value.len()];
        in_header |= !name.is_empty();
        result.push_str(name);
        let shown = match value {
            _ if !in_header => masked_url(value),
            "" => "".into(),
            _ if is_scheme(value) => value.into(),
            _ if is_placeholder(value) => {
                in_header = false;
                value.into()
            }
            _ => Cow::Owned(MASK.into()),
        };
        changed |= matches!(shown, Cow::Owned(_));
        result.push_str(&shown);
    }
    if changed { result.into() } else { text.into() }
}

/// Does the same for a text that is one URL, or was meant to be: whatever stands in it is part of it.
///
/// ```
/// assert_eq!(fanfare_mask::masked_url("/cb?next=%2Fa%3Ftoken%3Db"), "/cb?next=%2Fa%3Ftoken%3D********");
/// ```
#[must_use]
pub fn masked_url(url: &str) -> Cow<'_, str> {
    // What nearly every word of a log line is.
    if !url.bytes().any(|byte| matches!(byte, b'=' | b'@' | b'%')) && !url.contains("eyJ") {
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
    let mut layer = Layer::new(word);
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

fn is_separator(character: char) -> bool {
    // Colours of a terminal begin with an escape.
    character.is_whitespace() || matches!(character, '"' | '\'' | '`' | '\u{1b}')
}

/// Gives what stands in a word behind `Authorization:` or the name of another header that holds a secret.
fn behind_header_name(word: &str) -> Option<&str> {
    let (name, value) = word.split_once(':')?;
    let is_header = || name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_secret = SECRET_HEADERS.iter().any(|header| header.eq_ignore_ascii_case(name))
        || (name.contains('-') && !name.starts_with('-') && is_header() && is_secret_name(name));
    is_secret.then_some(value)
}

fn is_scheme(word: &str) -> bool {
    ["bearer", "basic", "digest"].iter().any(|scheme| scheme.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
