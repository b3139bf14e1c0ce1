//! Finds secrets in the bytes of one word. Each kind of secret is searched for in a separate pass over the bytes.
use crate::{name::is_secret, placeholder::is_placeholder, quotation};
use std::ops::Range;

/// The first characters of a JSON Web Token: the beginning of its header `{"…` in base64.
const TOKEN: &[u8] = b"eyJ";
/// The first characters of a JSON Web Token with white space after the `{` of its header: a space, LF, CR or a tab, in
/// base64. Some words, such as `ewok`, begin with these letters too.
const SPACED_TOKENS: [&[u8]; 4] = [b"eyA", b"ewo", b"ew0", b"ewk"];
/// The shortest header of a JSON Web Token, in bytes of base64. A header must at least name an algorithm.
const MIN_HEADER_BYTES: usize = 12;
/// The schemes of URLs such as `mailto:me@host`, in which the part before the `@` is never a password.
const ADDRESSES: [&str; 9] = ["urn", "mailto", "tag", "acct", "sip", "sips", "xmpp", "mid", "cid"];

/// Finds user names and passwords in URLs: the part between the scheme and the `@` before the host.
pub(crate) fn credentials(word: &[u8], found: &mut Vec<Range<usize>>) {
    let Some(last_at) = word.iter().rposition(|&byte| byte == b'@') else { return };
    // The loop goes through the word from its end to its beginning. So when it reaches a colon, it has already read
    // what follows the colon.
    let mut here = Authority { end: word.len(), ..Authority::default() };
    let mut behind_slashes = (word.len(), Authority::default());
    for (at, &byte) in word.iter().enumerate().rev() {
        match byte {
            b'/' | b'\\' | b'?' | b'#' => {
                if !word.get(at + 1).is_some_and(|next| is_slash(*next)) {
                    behind_slashes = (at + 1, here);
                } else if is_slash(byte) && word[..at].last().is_none_or(|before| b"=&,;(\"'`".contains(before)) {
                    // Two slashes at the beginning of the word or of a value begin a URL without a scheme:
                    // `//me:password@host`.
                    let (start, authority) = behind_slashes;
                    found.extend(authority.credentials(word, start, last_at));
                }
                here = Authority { end: at, ..Authority::default() };
            }
            b'@' => here.at = here.at.or(Some(at)),
            b':' => {
                let slashes = word.get(at + 1).is_some_and(|next| is_slash(*next));
                // A browser reads `http:me@host` like `http://me@host`.
                if slashes || ends_with_web_scheme(&word[..at]) {
                    let (start, authority) = if slashes { behind_slashes } else { (at + 1, here) };
                    found.extend(authority.credentials(word, start, last_at));
                }
                if here.ends_with_port.is_none() {
                    here.ends_with_port = Some(is_port(&word[at + 1..here.end]));
                }
            }
            _ => {}
        }
    }
    bare_credentials(word, found);
}

/// A part of a word that may be `user:password@host:port`.
#[derive(Clone, Copy, Default)]
struct Authority {
    end: usize,
    /// The index of the last `@` in this part.
    at: Option<usize>,
    /// True if a port follows the last colon in this part; `None` if there is no colon.
    ends_with_port: Option<bool>,
}

impl Authority {
    fn credentials(self, word: &[u8], start: usize, last_at: usize) -> Option<Range<usize>> {
        let end = match self.at {
            Some(at) => at,
            // This part has a colon without a port after it, and no `@`. So a password may follow the colon, and may
            // contain a character such as `/` that should have been escaped. In that case the last `@` of the whole
            // word stands before the host.
            None if self.ends_with_port == Some(false) && last_at >= self.end => last_at,
            None => return None,
        };
        // Text that is already masked is not a secret, and neither is the placeholder `USER:PASSWORD` in the help of
        // `fanfare`.
        let shown = &word[start..end];
        (!shown.iter().all(|&byte| byte == b'*') && shown != b"USER:PASSWORD").then_some(start..end)
    }
}

fn is_slash(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// True if the text after a colon is a port, even an empty port, or the end of an IPv6 address.
fn is_port(text: &[u8]) -> bool {
    text.ends_with(b"]") || (text.len() <= 5 && text.iter().all(u8::is_ascii_digit))
}

fn ends_with_web_scheme(text: &[u8]) -> bool {
    ["http", "https", "ws", "wss"].iter().any(|scheme| {
        text.len().checked_sub(scheme.len()).is_some_and(|start| {
            text[start..].eq_ignore_ascii_case(scheme.as_bytes())
                && !text[..start].last().is_some_and(u8::is_ascii_alphanumeric)
        })
    })
}

/// Finds `user:password@host` without a scheme, at the beginning of a word, or as the value of an option, a variable or
/// a parameter.
fn bare_credentials(word: &[u8], found: &mut Vec<Range<usize>>) {
    let (mut start, mut follows_slash) = (0, false);
    for piece in word.split_inclusive(|byte| b"=,;([{&/\\?#".contains(byte)) {
        let end = start + piece.len();
        if !follows_slash {
            found.extend(bare_credentials_of(piece).map(|span| start + span.start..start + span.end));
        }
        follows_slash = piece.last().is_some_and(|byte| b"/\\?#".contains(byte));
        start = end;
    }
}

fn bare_credentials_of(piece: &[u8]) -> Option<Range<usize>> {
    let start = piece.iter().position(|&byte| !quotation::is_quote(byte))?;
    let at = piece.iter().rposition(|&byte| byte == b'@')?;
    let colon = start + piece.get(start..at)?.iter().position(|&byte| byte == b':')?;
    let (user, password) = (&piece[start..colon], &piece[colon + 1..at]);
    let is_address = ADDRESSES.iter().any(|scheme| user.eq_ignore_ascii_case(scheme.as_bytes()));
    (!user.is_empty() && !password.is_empty() && !is_address && !ends_with_web_scheme(user)).then_some(start..at)
}

/// Finds the values of parameters whose names say that they are secrets, anywhere in the word: in a query, fragment,
/// path or form.
pub(crate) fn parameters(word: &[u8], found: &mut Vec<Range<usize>>) {
    let (mut at, mut name_start) = (0, 0);
    while at < word.len() {
        let byte = word[at];
        at += 1;
        if byte == b'=' && is_secret(&word[name_start..at - 1]) {
            let value = quoted(word, at).unwrap_or_else(|| at..value_end(word, at));
            at = value.end;
            name_start = at;
            if !str::from_utf8(&word[value.clone()]).is_ok_and(is_placeholder) {
                found.push(value);
            }
        } else if !is_name(byte) {
            name_start = at;
        }
    }
}

/// True if the bytes end with the name of a secret and `=`.
pub(crate) fn ends_with_secret_name(bytes: &[u8]) -> bool {
    let Some((b'=', before)) = bytes.split_last() else { return false };
    is_secret(&before[before.iter().rposition(|&byte| !is_name(byte)).map_or(0, |at| at + 1)..])
}

/// Returns the range between a quotation mark at `start` and the mark that closes it; `None` if there is no such
/// quotation, or if it is directly followed by more text.
fn quoted(word: &[u8], start: usize) -> Option<Range<usize>> {
    let &mark = word.get(start).filter(|byte| quotation::is_quote(**byte))?;
    let end = start + 1 + quotation::length(&word[start + 1..], mark)?;
    quotation::ends_before(&word[end + 1..]).then_some(start + 1..end)
}

/// Returns the end of the value of a parameter. The value ends before the next `&`, or at the end of the word. Other
/// characters, such as `;`, `?` or `#`, may belong to the value.
fn value_end(word: &[u8], start: usize) -> usize {
    let length = word[start..].iter().position(|&byte| byte == b'&');
    length.map_or_else(|| end_of_message(word, start), |length| start + length)
}

/// Returns the end of the word, without the colons and commas that may follow a URL in a message.
fn end_of_message(word: &[u8], start: usize) -> usize {
    let length = word[start..].iter().rposition(|byte| !b":,".contains(byte)).map_or(0, |last| last + 1);
    start + length
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"-_.~%+[]$*!".contains(&byte)
}

/// Finds JSON Web Tokens: three parts of base64 with dots between them.
pub(crate) fn tokens(word: &[u8], found: &mut Vec<Range<usize>>) {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let mut start = 0;
    for run in word.split(|byte| !is_part(byte)) {
        let begin = token_start(run).filter(|&begin| run[begin..].iter().filter(|&&byte| byte == b'.').count() >= 2);
        found.extend(begin.map(|begin| start + begin..start + run.len()));
        start += run.len() + 1;
    }
}

/// Returns the first index at which a JSON Web Token may begin. `run` is a part of a word that has only letters of
/// base64 and dots.
fn token_start(run: &[u8]) -> Option<usize> {
    let header_length = || run.iter().position(|&byte| byte == b'.').unwrap_or(run.len());
    let is_spaced = SPACED_TOKENS.iter().any(|beginning| run.starts_with(beginning));
    if is_spaced && header_length() >= MIN_HEADER_BYTES {
        return Some(0);
    }
    run.windows(TOKEN.len()).position(|three| three == TOKEN)
}
