//! What a text shows of secrets: nothing. One function for everything that is printed or logged.
//!
//! A text is read as people read it, word by word, and not as a URL parser reads it: what is shown is often a URL that no
//! parser accepts. Three kinds of words hold secrets: a URL with a user or a password, a parameter whose name says that its
//! value is a secret, and a JSON Web Token. What is masked by mistake costs a reader a moment; what is shown by mistake
//! costs a key, so a doubtful word is masked.
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// What is shown in the place of a secret.
pub(crate) const MASK: &str = "********";

/// The longest word in which secrets are looked for, since that takes more than its length in time. A longer one that may hold
/// a secret is masked whole.
const MAX_WORD_BYTES: usize = 512;
/// How deep URLs are looked for in the parameters of URLs.
const MAX_DEPTH: usize = 3;

/// The name of a parameter tells a secret if it holds one of these, without its hyphens and in lower case.
const SECRET_PARTS: [&str; 13] = [
    "token",
    "secret",
    "passw",
    "passphrase",
    "authorization",
    "oauth",
    "apikey",
    "accesskey",
    "credential",
    "signature",
    "session",
    "bearer",
    "jwt",
];
/// The same, if it ends so.
const SECRET_ENDS: [&str; 3] = ["key", "auth", "pwd"];
/// The same, if it is one of these.
const SECRET_NAMES: [&str; 11] =
    ["sig", "pass", "pw", "code", "sid", "hmac", "otp", "pin", "ticket", "assertion", "cookie"];
/// Headers whose whole value is a secret.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxyauthorization", "cookie", "setcookie"];

/// The text with [`MASK`] in the place of each secret that can be told by its form.
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
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
        if word.is_empty() {
            continue;
        }
        if in_header && !is_scheme(word) && !is_placeholder(word) {
            result.push_str(MASK);
            changed = true;
            continue;
        }
        in_header = (in_header && is_scheme(word)) || is_header(word);
        match masked_word(word, 0) {
            Some(masked) => {
                result.push_str(&masked);
                changed = true;
            }
            None => result.push_str(word),
        }
    }
    if changed { result.into() } else { text.into() }
}

/// The same for a text that is one URL, or was meant to be: whatever stands in it is part of it.
pub(crate) fn masked_url(url: &str) -> Cow<'_, str> {
    masked_word(url, 0).map_or(url.into(), Into::into)
}

/// Whether the name of a parameter, a header or a variable says that its value is a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let decoded = percent_decode_str(name).decode_utf8_lossy();
    let plain: String = decoded.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    // The name of a file that holds a secret is none.
    !plain.ends_with("file")
        && (SECRET_NAMES.contains(&plain.as_str())
            || SECRET_ENDS.iter().any(|end| plain.ends_with(end))
            || SECRET_PARTS.iter().any(|part| plain.contains(part)))
}

fn is_separator(character: char) -> bool {
    // Colours of a terminal begin with an escape.
    character.is_whitespace() || matches!(character, '"' | '\'' | '`' | '\u{1b}')
}

/// `Authorization:`, behind which a secret stands.
fn is_header(word: &str) -> bool {
    let plain = |name: &str| name.replace('-', "").to_ascii_lowercase();
    word.strip_suffix(':').is_some_and(|name| SECRET_HEADERS.contains(&plain(name).as_str()))
}

fn is_scheme(word: &str) -> bool {
    ["bearer", "basic", "digest"].iter().any(|scheme| scheme.eq_ignore_ascii_case(word))
}

/// What stands for a value that somebody else fills in: `$TOKEN`, `<token>`, `…`.
fn is_placeholder(value: &str) -> bool {
    value.is_empty() || value == MASK || value.starts_with(['$', '<', '…', '{'])
}

/// The word without its secrets; `None` if there are none.
fn masked_word(word: &str, depth: usize) -> Option<String> {
    if word.len() > MAX_WORD_BYTES {
        let may_hold_secret = word.contains(['=', '%', '@']) || !tokens(word).is_empty();
        return may_hold_secret.then(|| MASK.to_owned());
    }
    let mut secrets = credentials(word);
    secrets.extend(parameters(word, depth));
    secrets.extend(tokens(word));
    if secrets.is_empty() {
        return hidden(word, depth);
    }
    secrets.sort_unstable();
    let (mut masked, mut at) = (String::new(), 0);
    for (start, end) in secrets {
        if start > at || (start == 0 && at == 0) {
            masked.push_str(&word[at..start]);
            masked.push_str(MASK);
        }
        at = at.max(end);
    }
    masked.push_str(&word[at..]);
    Some(masked)
}

/// A word whose secret shows only when it is decoded. What stands before the first escape is shown.
fn hidden(word: &str, depth: usize) -> Option<String> {
    let (before, _) = word.split_once('%').filter(|_| depth < MAX_DEPTH)?;
    let decoded = percent_decode_str(word).decode_utf8_lossy();
    (decoded != word && masked_word(&decoded, depth + 1).is_some()).then(|| format!("{before}{MASK}"))
}

/// Where users and passwords stand: between the scheme of a URL and its host.
fn credentials(word: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (colon, _) in word.match_indices(':') {
        let behind = &word[colon + 1..];
        let slashes = behind.len() - behind.trim_start_matches(['/', '\\']).len();
        // A browser reads `http:me@host` as if there were slashes.
        let is_web = || ["http", "https", "ws", "wss"].iter().any(|scheme| ends_with_word(&word[..colon], scheme));
        if slashes == 0 && !is_web() {
            continue;
        }
        let start = colon + 1 + slashes;
        let end = word[start..].find(['/', '\\', '?', '#']).map_or(word.len(), |length| start + length);
        let authority = &word[start..end];
        if let Some(at) = authority.rfind('@') {
            // The help has it so.
            if &authority[..at] != "USER:PASSWORD" {
                found.push((start, start + at));
            }
        } else if authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_err() && !port.ends_with(']'))
        {
            // No port: a password with a character that would have to be escaped, and the host behind it.
            found.extend(word[end..].rfind('@').map(|at| (start, end + at)));
        }
    }
    if found.is_empty() && !word.contains("://") {
        found.extend(bare_credentials(word));
    }
    found
}

/// `user:password@host` without a scheme, perhaps behind the name of an option.
fn bare_credentials(word: &str) -> Option<(usize, usize)> {
    let start = if word.starts_with('-') { word.find('=')? + 1 } else { 0 };
    let end = word[start..].find(['/', '?', '#']).map_or(word.len(), |length| start + length);
    let at = start + word[start..end].rfind('@')?;
    let (user, password) = word[start..at].split_once(':')?;
    let is_uri = user.eq_ignore_ascii_case("urn") || user.eq_ignore_ascii_case("mailto");
    (!user.is_empty() && !password.is_empty() && !is_uri).then_some((start, at))
}

fn ends_with_word(text: &str, word: &str) -> bool {
    text.len().checked_sub(word.len()).is_some_and(|start| {
        text.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(word))
            && !text[..start].ends_with(|before: char| before.is_ascii_alphanumeric())
    })
}

/// Where the values of parameters stand whose names tell secrets, wherever in the word: query, fragment, path, form.
fn parameters(word: &str, depth: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (equals, _) in word.match_indices('=') {
        let is_name = |character: char| character.is_alphanumeric() || "-_.~%+[]$*!".contains(character);
        let name = word[..equals]
            .rfind(|character| !is_name(character))
            .map_or(0, |at| at + word[at..].chars().next().map_or(1, char::len_utf8));
        let end = word[equals + 1..].find(['&', '#']).map_or(word.len(), |length| equals + 1 + length);
        // A message goes on behind a URL with a colon or a comma.
        let end = if end == word.len() { word.trim_end_matches([':', ',']).len().max(equals + 1) } else { end };
        let value = &word[equals + 1..end];
        let is_secret = || is_secret_name(&word[name..equals]) && !is_placeholder(value);
        // The value may be a URL of its own, escaped.
        let holds_secret = || depth < MAX_DEPTH && hidden(value, depth + 1).is_some();
        if is_secret() || holds_secret() {
            found.push((equals + 1, end));
        }
    }
    found
}

/// Where JSON Web Tokens stand: `{"` in base64, and two dots.
fn tokens(word: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (start, _) in word.match_indices("eyJ") {
        let is_token = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
        let end = word[start..].find(|character| !is_token(character)).map_or(word.len(), |length| start + length);
        if word[start..end].matches('.').count() >= 2 {
            found.push((start, end));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stranger's text is masked, too, and costs no more than its length.
    #[test]
    fn a_long_word_costs_little() {
        let escapes = "a=%2520".repeat(100_000);
        let begun = std::time::Instant::now();
        assert_eq!(masked(&escapes), MASK);
        assert!(begun.elapsed() < std::time::Duration::from_secs(5));
        let plain = "x".repeat(100_000);
        assert_eq!(masked(&plain), plain.as_str());
    }

    #[test]
    fn users_and_passwords_of_urls_are_masked() {
        let cases = [
            ("https://me@h/x", "https://********@h/x"),
            ("https://me:pw@h:8/x?a=b", "https://********@h:8/x?a=b"),
            ("https://me:p@w@h/", "https://********@h/"),
            ("https://:pw@h/", "https://********@h/"),
            ("HTTPS://Me:Pw@h", "HTTPS://********@h"),
            ("https:/me:pw@h/", "https:/********@h/"),
            ("https:\\\\me:pw@h/", "https:\\\\********@h/"),
            ("http:me:pw@h/", "http:********@h/"),
            // Not escaped as they would have to be.
            ("https://me:p/w@h/x", "https://********@h/x"),
            ("https://me:p?w@h/x", "https://********@h/x"),
            ("https://me:p#w@h/x", "https://********@h/x"),
            ("https://me:%70w@h/", "https://********@h/"),
            ("me:pw@h:3000", "********@h:3000"),
            ("--hub=me:pw@h", "--hub=********@h"),
            ("redis://me:pw@h/0", "redis://********@h/0"),
            ("news=https://me:pw@h/k", "news=https://********@h/k"),
            ("https://a/,https://me:pw@b/", "https://a/,https://********@b/"),
        ];
        for (text, shown) in cases {
            assert_eq!(masked(text), shown);
            assert_eq!(masked(shown), shown, "again");
        }
    }

    #[test]
    fn parameters_are_masked_by_their_names() {
        let cases = [
            ("http://h/?token=x", "http://h/?token=********"),
            ("http://h/?a=b&token=x&c=d", "http://h/?a=b&token=********&c=d"),
            ("http://h/?TOKEN=x&Access_Token=y", "http://h/?TOKEN=********&Access_Token=********"),
            ("http://h/?%74oken=x", "http://h/?%74oken=********"),
            ("http://h/?authorization=Bearer%20x", "http://h/?authorization=********"),
            ("http://h/#access_token=x&b=c", "http://h/#access_token=********&b=c"),
            ("http://h/?a=b;token=x", "http://h/?a=b;token=********"),
            ("http://h/sse;token=x", "http://h/sse;token=********"),
            ("http://h/?X-Amz-Signature=x&X-Amz-Date=y", "http://h/?X-Amz-Signature=********&X-Amz-Date=y"),
            ("http://h/?api_key=x", "http://h/?api_key=********"),
            ("http://h/?token[]=x", "http://h/?token[]=********"),
            ("http://h/?token=a=b==", "http://h/?token=********"),
            ("http://h/?token=x=news,weather", "http://h/?token=********"),
            ("/events?token=x", "/events?token=********"),
            ("token=x", "token=********"),
            ("http:///?token=x", "http:///?token=********"),
            ("http://[::1]:99999999/?token=x", "http://[::1]:99999999/?token=********"),
            // Escaped, as URLs within URLs are.
            ("http://h/?next=https%3A%2F%2Fme%3Apw%40h%2F", "http://h/?next=********"),
            ("http://h/?next=%2Fa%3Ftoken%3Dx&b=c", "http://h/?next=********&b=c"),
            ("http://h/cb%3Ftoken%3Dx", "http://h/cb********"),
            ("http://h/?token=", "http://h/?token="),
        ];
        for (text, shown) in cases {
            assert_eq!(masked(text), shown);
            assert_eq!(masked_url(text), shown);
            assert_eq!(masked(shown), shown, "again");
        }
    }

    #[test]
    fn secrets_are_found_within_longer_texts() {
        let cases = [
            (
                "error: invalid value 'https://me:pw@h' for '--hub <URL>': expected",
                "error: invalid value 'https://********@h' for '--hub <URL>': expected",
            ),
            ("\u{1b}[33mhttp://h/?token=x\u{1b}[0m: no", "\u{1b}[33mhttp://h/?token=********\u{1b}[0m: no"),
            ("{\"url\":\"http://h/?token=x\",\"n\":1}", "{\"url\":\"http://h/?token=********\",\"n\":1}"),
            ("Authorization: Bearer abc", "Authorization: Bearer ********"),
            ("'cookie: a=b; c=d' is wrong", "'cookie: ******** ********' is wrong"),
            ("got eyJhbGciOiJub25lIn0.e30.x here", "got ******** here"),
            ("one line\nhttp://me@h/\ntwo", "one line\nhttp://********@h/\ntwo"),
        ];
        for (text, shown) in cases {
            assert_eq!(masked(text), shown);
            assert_eq!(masked(shown), shown, "again");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "",
            "http://127.0.0.1:3000",
            "http://[::1]:3000/topics/a@b",
            "https://example.com/@me?a=b&topic=x%20y",
            "https://example.com:8443/users/me@example.com",
            "mailto:me@example.com",
            "urn:example:a@b",
            "listen = \"127.0.0.1:3000\"",
            "curl -H \"Authorization: Bearer $FANFARE_TOKEN\" -d 'hello' http://h/topics/greetings",
            "export FANFARE_KEY=\"$(openssl rand -hex 32)\"",
            "headers = [\"Authorization: …\"]",
            "--key-file=/run/secrets/key",
            "a token for the hub: ask for one",
            "é%ff%zz=ü",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn any_text_can_be_masked() {
        for text in
            ["=", "@", "://@", "token==", "é://ü@ö?töken=ä", "%", "%%%3D", ":@:", "http:", "//\\\\@", "eyJ..", "\u{1b}"]
        {
            let shown = masked(text).into_owned();
            assert_eq!(masked(&shown), shown, "{text}");
        }
    }
}
