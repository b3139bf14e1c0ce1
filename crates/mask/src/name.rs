//! Names of parameters, headers and variables that say that their value is a secret.

/// A name tells a secret if it holds one of these, in lower case and without what is neither letter nor digit.
const PARTS: [&str; 24] = [
    "token",
    "secret",
    "passw",
    "passphrase",
    "passcode",
    "authorization",
    "authentication",
    "oauth",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "masterkey",
    "subscriptionkey",
    "functionskey",
    "authkey",
    "credential",
    "signature",
    "session",
    "sessid",
    "bearer",
    "jwt",
    "hmac",
    "assertion",
];
/// The same, if its last word is one of these: `x-api-key`, `userPass`.
const LAST_WORDS: [&str; 11] = ["key", "auth", "xauth", "pwd", "pass", "pw", "sig", "sid", "otp", "ticket", "cookie"];
/// The same, if it is one of these.
const NAMES: [&str; 2] = ["code", "pin"];
/// Names that hold one of those, and tell none.
const OPEN: [&str; 3] = ["idempotencykey", "publickey", "partitionkey"];
/// The longest name that is read whole; of a longer one, its end is.
const MAX_BYTES: usize = 256;

/// True if the name of a parameter, a header or a variable says that its value is a secret: `token`, `X-Api-Key`,
/// `access_token`, `%74oken`, but not `keyword` and not `key-file`, the name of a file.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let mut layer = crate::Layer::new(&name[name.ceil_char_boundary(name.len().saturating_sub(MAX_BYTES))..]);
    for _ in 0..crate::MAX_ESCAPED {
        let Some((next, _)) = layer.unescaped() else { break };
        layer = next;
    }
    is_secret(layer.bytes())
}

/// Does the same for a name without escapes.
pub(crate) fn is_secret(name: &[u8]) -> bool {
    let name = &name[name.len().saturating_sub(MAX_BYTES)..];
    let plain: Vec<u8> = name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    let Ok(plain) = str::from_utf8(&plain) else { return false };
    let last = last_word(name);
    !plain.ends_with("file")
        && !OPEN.iter().any(|open| plain.ends_with(open))
        && (NAMES.contains(&plain)
            || LAST_WORDS.iter().any(|word| last.eq_ignore_ascii_case(word.as_bytes()))
            || PARTS.iter().any(|part| plain.contains(part)))
}

/// Gives the last word of a name, which begins behind a sign or with a capital letter.
fn last_word(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(u8::is_ascii_alphanumeric).map_or(0, |at| at + 1);
    let name = &name[..end];
    let begins = |at: &usize| {
        let (before, this) = (name[at - 1], name[*at]);
        !before.is_ascii_alphanumeric() || (before.is_ascii_lowercase() && this.is_ascii_uppercase())
    };
    let start = (1..name.len())
        .rev()
        .find(begins)
        .unwrap_or_else(|| name.iter().position(u8::is_ascii_alphanumeric).unwrap_or(0));
    &name[start..]
}
