//! Masks a text of several words, such as a message or a line of a log.
use crate::{MASK, find, masked_url, name::is_secret_name, placeholder::is_placeholder, quotation};
use std::{borrow::Cow, ops::Range};

/// The headers whose whole value is a secret. A header such as `X-Api-Key` is treated the same: its name contains a
/// hyphen and is the name of a secret.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// The authentication schemes that may precede the secret in the value of a header. They are shown.
const SCHEMES: [&str; 4] = ["bearer", "basic", "digest", "negotiate"];
/// The first byte of the codes that set colours in a terminal.
const ESCAPE: u8 = 0x1b;

/// Returns the text with [`MASK`] in place of each secret that can be recognised by its form.
///
/// ```
/// let shown = fanfare_mask::masked("cannot reach https://me:pw@example.com/events?topic=a&token=b: timeout");
/// assert_eq!(shown, "cannot reach https://********@example.com/events?topic=a&token=********: timeout");
/// ```
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let (mut result, mut changed) = (String::new(), false);
    let mut rest = text;
    while !rest.is_empty() {
        let (between, after) = rest.split_at(rest.find(|character| !is_separator(character)).unwrap_or(rest.len()));
        let end = word_end(after);
        let (shown, length) = match header_value_start(&after[..end]) {
            Some(start) => masked_header(after, start),
            None => (masked_url(&after[..end]), end),
        };
        changed |= matches!(shown, Cow::Owned(_));
        result.push_str(between);
        result.push_str(&shown);
        rest = &after[length..];
        if let Some(value) = member_value(rest)
            && is_secret_name(&after[..length])
        {
            changed = true;
            result.push_str(&rest[..value.start]);
            result.push_str(MASK);
            rest = &rest[value.end..];
        }
    }
    if changed { result.into() } else { text.into() }
}

fn is_separator(character: char) -> bool {
    character.is_whitespace() || u8::try_from(character).is_ok_and(|byte| byte == ESCAPE || quotation::is_quote(byte))
}

/// Returns the end of the first word of `text`. A quotation that is the value of a secret parameter is part of the
/// word, whatever it contains.
fn word_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut quotation_end = 0;
    for (at, _) in text.char_indices().filter(|(_, character)| is_separator(*character)) {
        if at < quotation_end {
            continue;
        }
        if quotation::is_quote(bytes[at]) {
            let quoted = || quotation::length(&bytes[at + 1..], bytes[at]);
            if find::ends_with_secret_name(&bytes[..at])
                && let Some(length) = quoted()
            {
                quotation_end = at + 1 + length + 1;
                continue;
            }
            if !quotation::ends_before(&bytes[at + 1..]) {
                continue;
            }
        }
        return at;
    }
    text.len()
}

/// Returns the range of the value of a JSON field. `text` begins directly after the name of the field, for example with
/// `":"value"`. The quotation marks may be escaped, as in JSON inside JSON. If the value has no closing quotation mark,
/// it ends with its line.
fn member_value(text: &str) -> Option<Range<usize>> {
    let behind_mark = |text: &str| {
        let rest = text.trim_start_matches('\\');
        let mark = *rest.as_bytes().first().filter(|byte| quotation::is_quote(**byte))?;
        Some((text.len() - rest.len() + 1, mark))
    };
    let (name_end, _) = behind_mark(text)?;
    let value = text[name_end..].trim_start().strip_prefix(':')?.trim_start();
    let (length, mark) = behind_mark(value)?;
    let start = text.len() - value.len() + length;
    let bytes = text.as_bytes();
    let is_escaped =
        |at: usize| length == 1 && bytes[..at].iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1;
    let is_end = |at: &usize| bytes[*at] == b'\n' || (bytes[*at] == mark && !is_escaped(*at));
    let end = (start..text.len()).find(is_end).unwrap_or(text.len());
    // If the quotation marks are escaped, the backslashes before the closing mark are not part of the value.
    let end = end - bytes[start..end].iter().rev().take(length - 1).take_while(|&&byte| byte == b'\\').count();
    let is_shown = text[start..end].is_empty() || is_placeholder(&text[start..end]);
    (!is_shown).then_some(start..end)
}

/// Returns the index after the colon of `Authorization:` or of another header whose value is a secret; `None` if the
/// word does not contain such a header.
fn header_value_start(word: &str) -> Option<usize> {
    let (before, _) = word.split_once(':')?;
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '-';
    let name = before.rsplit(|character| !is_name(character)).next()?;
    // In arguments of curl, the name of a header may follow `-H` without a space.
    let name = name.strip_prefix("-H").unwrap_or(name);
    let is_secret = SECRET_HEADERS.iter().any(|header| header.eq_ignore_ascii_case(name))
        || (name.contains('-') && !name.starts_with('-') && is_secret_name(name));
    is_secret.then_some(before.len() + 1)
}

/// Returns the header at the beginning of `text` with its value masked, and the length of the header in `text`. The
/// value begins at `start`, and ends at the end of its quotation or line.
fn masked_header(text: &str, start: usize) -> (Cow<'_, str>, usize) {
    let bytes = text.as_bytes();
    let ends = |at: &usize| {
        matches!(bytes[*at], b'\r' | b'\n' | ESCAPE)
            || quotation::is_quote(bytes[*at]) && quotation::ends_before(&bytes[*at + 1..])
    };
    let end = (start..bytes.len()).find(ends).unwrap_or(bytes.len());
    let value = text[start..end].trim_start();
    let scheme =
        value.split_once(' ').filter(|(word, _)| SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(word)));
    let secret = scheme.map_or(value, |(_, secret)| secret.trim_start());
    if is_placeholder(secret.trim_end()) {
        return (text[..end].into(), end);
    }
    (format!("{}{MASK}", &text[..end - secret.len()]).into(), end)
}
