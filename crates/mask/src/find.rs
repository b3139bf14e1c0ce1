//! Secrets in the bytes of one word, each kind in one pass over them.
use crate::{name::is_secret, placeholder::is_placeholder};
use std::ops::Range;

/// Begins `{"` in base64, and with it a JSON Web Token.
const TOKEN: &[u8] = b"eyJ";
/// Schemes of URLs that hold an address of a person, and no password.
const ADDRESSES: [&str; 9] = ["urn", "mailto", "tag", "acct", "sip", "sips", "xmpp", "mid", "cid"];

/// Finds users and passwords: between the scheme of a URL and its host.
pub(crate) fn credentials(word: &[u8], found: &mut Vec<Range<usize>>) {
    let Some(last_at) = word.iter().rposition(|&byte| byte == b'@') else { return };
    // From the end, so that at each colon it is known what stands behind it.
    let mut here = Authority { end: word.len(), ..Authority::default() };
    let mut behind_slashes = (word.len(), Authority::default());
    for (at, &byte) in word.iter().enumerate().rev() {
        match byte {
            b'/' | b'\\' | b'?' | b'#' => {
                if !word.get(at + 1).is_some_and(|next| is_slash(*next)) {
                    behind_slashes = (at + 1, here);
                }
                here = Authority { end: at, ..Authority::default() };
            }
            b'@' => here.at = here.at.or(Some(at)),
            b':' => {
                let slashes = word.get(at + 1).is_some_and(|next| is_slash(*next));
                // A browser reads `http:me@host` as if there were slashes.
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

/// A stretch of a word that may be `user:password@host:port`.
#[derive(Clone, Copy, Default)]
struct Authority {
    end: usize,
    /// The last `@` in it.
    at: Option<usize>,
    /// True if a port stands behind the last colon in it; `None` without a colon.
    ends_with_port: Option<bool>,
}

impl Authority {
    fn credentials(self, word: &[u8], start: usize, last_at: usize) -> Option<Range<usize>> {
        let end = match self.at {
            Some(at) => at,
            // No port: a password with a character that should have been escaped, and the host behind it.
            None if self.ends_with_port == Some(false) && last_at >= self.end => last_at,
            None => return None,
        };
        // The help has it so.
        let shown = &word[start..end];
        (!shown.iter().all(|&byte| byte == b'*') && shown != b"USER:PASSWORD").then_some(start..end)
    }
}

fn is_slash(byte: u8) -> bool {
    matches!(byte, b'/' | b'\\')
}

/// True for a port, also an empty one, and for what ends an IPv6 address.
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

/// Finds `user:password@host` without a scheme: a word, or behind the name of an option, a variable or a parameter.
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
    let at = piece.iter().rposition(|&byte| byte == b'@')?;
    let colon = piece[..at].iter().position(|&byte| byte == b':')?;
    let (user, password) = (&piece[..colon], &piece[colon + 1..at]);
    let is_address = ADDRESSES.iter().any(|scheme| user.eq_ignore_ascii_case(scheme.as_bytes()));
    (!user.is_empty() && !password.is_empty() && !is_address && !ends_with_web_scheme(user)).then_some(0..at)
}

/// Finds the values of parameters whose names tell secrets, wherever in the word: query, fragment, path, form.
pub(crate) fn parameters(word: &[u8], found: &mut Vec<Range<usize>>) {
    let mut start = 0;
    for parameter in word.split(|&byte| byte == b'&') {
        let end = start + parameter.len();
        found.extend(secret_of_parameter(word, start..end));
        start = end + 1;
    }
}

/// Finds the first secret between two `&`. Whatever else stands there, such as `;`, `?` or `#`, may belong to it.
fn secret_of_parameter(word: &[u8], parameter: Range<usize>) -> Option<Range<usize>> {
    let mut name_start = parameter.start;
    for at in parameter.clone() {
        match word[at] {
            b'=' => {
                if is_secret(&word[name_start..at]) {
                    let end = if parameter.end == word.len() { end_of_message(word, at + 1) } else { parameter.end };
                    if !str::from_utf8(&word[at + 1..end]).is_ok_and(is_placeholder) {
                        return Some(at + 1..end);
                    }
                }
                name_start = at + 1;
            }
            byte if !is_name(byte) => name_start = at + 1,
            _ => {}
        }
    }
    None
}

/// Leaves out the colon or comma with which a message goes on behind a URL.
fn end_of_message(word: &[u8], start: usize) -> usize {
    let length = word[start..].iter().rposition(|byte| !b":,".contains(byte)).map_or(0, |last| last + 1);
    start + length
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"-_.~%+[]$*!".contains(&byte)
}

/// Finds JSON Web Tokens: three parts of base64 with dots between them.
pub(crate) fn tokens(word: &[u8], found: &mut Vec<Range<usize>>) {
    let mut at = 0;
    while let Some(start) = word[at..].windows(TOKEN.len()).position(|three| three == TOKEN).map(|begin| at + begin) {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        let end = word[start..].iter().position(|byte| !is_part(byte)).map_or(word.len(), |length| start + length);
        if word[start..end].iter().filter(|&&byte| byte == b'.').count() >= 2 {
            found.push(start..end);
        }
        at = end;
    }
}
