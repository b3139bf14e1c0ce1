//! Decides whether the name of a parameter, header or variable says that its value is a secret.
use crate::{MAX_ESCAPED, escaped::Layer};

/// A name that contains one of these texts is the name of a secret. Before the comparison, the name is converted to
/// lower case, and everything but letters and digits is removed.
const PARTS: [&str; 26] = [
    "token",
    "secret",
    "passw",
    "passphrase",
    "passcode",
    "authorization",
    "authentication",
    "authcode",
    "oauth",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "masterkey",
    "subscriptionkey",
    "functionskey",
    "authkey",
    "codeverifier",
    "credential",
    "signature",
    "session",
    "sessid",
    "bearer",
    "jwt",
    "hmac",
    "assertion",
];
/// A name that ends with one of these texts is the name of a secret: `hubkey`, `x-api-key`.
const ENDS: [&str; 3] = ["key", "auth", "pwd"];
/// A name whose last word is one of these words is the name of a secret: `x-sig`, `userPass`.
const LAST_WORDS: [&str; 9] = ["pass", "pw", "sig", "sid", "otp", "totp", "pin", "ticket", "cookie"];
/// A name that is equal to one of these texts is the name of a secret.
const NAMES: [&str; 1] = ["code"];
/// A name that ends with one of these texts is not the name of a secret: it names a key that is not secret (a public
/// key), is an ordinary word (`monkey`), or names a file.
const OPEN_ENDS: [&str; 13] = [
    "idempotencykey",
    "publickey",
    "partitionkey",
    "monkey",
    "donkey",
    "turkey",
    "hockey",
    "jockey",
    "whiskey",
    "hotkey",
    "lackey",
    "flunkey",
    "file",
];
/// The greatest number of bytes of a name that are examined. Of a longer name, only its last bytes are examined.
const MAX_BYTES: usize = 256;

/// True if the name of a parameter, a header or a variable says that its value is a secret: `token`, `X-Api-Key`,
/// `access_token`, `%74oken`, but not `keyword` and not `key-file`, the name of a file. A number at the end of the name
/// makes no difference.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    is_secret(name.as_bytes())
}

/// Does the same as [`is_secret_name`] for a name given as bytes, which need not be UTF-8.
pub(crate) fn is_secret(name: &[u8]) -> bool {
    let mut layer = Layer::new(&name[name.len().saturating_sub(MAX_BYTES)..]);
    for _ in 0..MAX_ESCAPED {
        let Some((next, _)) = layer.unescaped() else { break };
        layer = next;
    }
    let name = layer.bytes();
    let name = &name[..name.iter().rposition(u8::is_ascii_alphabetic).map_or(0, |at| at + 1)];
    let plain: Vec<u8> = name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    let Ok(plain) = str::from_utf8(&plain) else { return false };
    !OPEN_ENDS.iter().any(|end| plain.ends_with(end))
        && (NAMES.contains(&plain)
            || ENDS.iter().any(|end| plain.ends_with(end))
            || LAST_WORDS.iter().any(|word| ends_with_word(name, word))
            || PARTS.iter().any(|part| plain.contains(part)))
}

/// True if the name ends with the word, and the word is a separate word of the name: it is the whole name, follows a
/// character such as `-`, or begins with a capital letter after a small letter.
fn ends_with_word(name: &[u8], word: &str) -> bool {
    let Some(start) = name.len().checked_sub(word.len()) else { return false };
    let begins = match name[..start].last() {
        None => true,
        Some(before) if !before.is_ascii_alphanumeric() => true,
        Some(before) => before.is_ascii_lowercase() && name[start].is_ascii_uppercase(),
    };
    begins && name[start..].eq_ignore_ascii_case(word.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets_in_every_spelling() {
        for name in [
            "token",
            "TOKEN",
            "access_token",
            "accessToken",
            "X-Auth-Token",
            "token[]",
            "authorization",
            "Authorization",
            "key",
            "api_key",
            "apiKey",
            "APIKEY",
            "x-api-key",
            "FANFARE_KEY",
            "publisher-key",
            "key2",
            "hubkey",
            "sig",
            "X-Amz-Signature",
            "X-Amz-Credential",
            "x_sig",
            "pw",
            "pW",
            "x-pW",
            "pwd",
            "pass",
            "user_pass",
            "passwd",
            "password",
            "passphrase",
            "passcode",
            "sid",
            "connect.sid",
            "PHPSESSID",
            "JSESSIONID",
            "otp",
            "otp1",
            "totp",
            "pin",
            "userPin",
            "user[pin]",
            "ticket",
            "hmac",
            "x-hub-hmac",
            "assertion",
            "client_assertion",
            "code",
            "auth",
            "basic_auth",
            "oauth_nonce",
            "cookie",
            "set-cookie",
            "session",
            "session_id",
            "client_secret",
            "jwt",
            "bearer",
            "credentials",
            "code_verifier",
            "Ocp-Apim-Subscription-Key",
            "é-token",
            "%74oken",
            "private_key_pem",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn ordinary_names_tell_none() {
        for name in [
            "",
            "topic",
            "lastEventId",
            "last-event-id",
            "monkey",
            "x-monkey",
            "keyword",
            "keys",
            "author",
            "authority",
            "pinned",
            "shopping",
            "compass",
            "passenger",
            "design",
            "sigma",
            "tick",
            "zip_code",
            "encode",
            "codes",
            "country-code",
            "key-file",
            "token-file",
            "idempotency-key",
            "Idempotency-Key",
            "cookie-name",
            "accept",
            "content-type",
            "x-request-id",
            "private",
            "jwks",
            "kid",
            "é",
            "-",
            "1",
            "opinion",
            "side",
            "allow-short-keys",
            "public-key",
            "partitionKey",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
