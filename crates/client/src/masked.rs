//! What must not be printed: tokens in URLs and headers.
use std::fmt;
use url::{Url, form_urlencoded};

/// A URL to be shown: what may be a secret in it is not. Those are user and password, and the values of query parameters
/// whose names say so, such as `token`, `access_token`, `authorization` or `api_key`, in the fragment too.
///
/// ```
/// use fanfare_client::Masked;
/// let url = "https://me:pw@example.com/events?topic=news&token=secret".parse()?;
/// assert_eq!(Masked(&url).to_string(), "https://***@example.com/events?topic=news&token=***");
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Masked<'a>(pub &'a Url);

const MASK: &str = "***";

/// Whether a header or parameter of this name holds a secret, as far as its name tells.
pub(crate) fn is_secret_name(name: &str) -> bool {
    // What stands for itself, and what does so within other words.
    const WHOLE: [&str; 8] = ["auth", "key", "sig", "pwd", "pass", "cookie", "code", "xauth"];
    const WITHIN: [&str; 16] = [
        "token",
        "authorization",
        "authentication",
        "apikey",
        "accesskey",
        "secretkey",
        "subscriptionkey",
        "functionskey",
        "secret",
        "password",
        "passwd",
        "signature",
        "credential",
        "session",
        "jwt",
        "bearer",
    ];
    let plain = |letter: &char| letter.is_ascii_alphanumeric();
    let name: String = name.chars().filter(plain).map(|letter| letter.to_ascii_lowercase()).collect();
    WHOLE.contains(&&*name) || WITHIN.iter().any(|word| name.contains(word)) || name.ends_with("authkey")
}

/// The same of a text that may be no URL: a part of it that looks like a secret is left out, and its end, if it is long.
pub(crate) fn mask_text(text: &str) -> String {
    const MAX_CHARS: usize = 200;
    let mut masked = match text.parse::<Url>() {
        Ok(url) => Masked(&url).to_string(),
        Err(_) => mask_unparsed(text),
    };
    if let Some((end, _)) = masked.char_indices().nth(MAX_CHARS) {
        masked.truncate(end);
        masked.push('…');
    }
    masked
}

fn mask_unparsed(text: &str) -> String {
    let (head, parameters) = match text.find(['?', '#']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut masked = String::new();
    let (scheme, rest) = head.split_once("//").map_or(("", head), |(scheme, rest)| (&head[..scheme.len() + 2], rest));
    masked.push_str(scheme);
    let authority = rest.find('/').map_or(rest, |end| &rest[..end]);
    match authority.rfind('@') {
        Some(at) => masked.extend([MASK, &rest[at..]]),
        None => masked.push_str(rest),
    }
    if let Some(parameters) = parameters.strip_prefix(['?', '#']) {
        masked.push(text[head.len()..].chars().next().unwrap_or('?'));
        push_parameters(parameters, &mut masked);
    }
    masked
}

fn push_parameters(parameters: &str, out: &mut String) {
    for (index, parameter) in parameters.split(['&', ';', '#', '?']).enumerate() {
        if index > 0 {
            out.push('&');
        }
        match parameter.split_once('=') {
            Some((name, _)) if is_secret(name) => out.extend([name, "=", MASK]),
            _ => out.push_str(parameter),
        }
    }
}

fn is_secret(name: &str) -> bool {
    form_urlencoded::parse(name.as_bytes()).any(|(name, _)| is_secret_name(&name))
}

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(url) = self;
        write!(f, "{}:", url.scheme())?;
        if url.has_host() {
            f.write_str("//")?;
            if !url.username().is_empty() || url.password().is_some() {
                write!(f, "{MASK}@")?;
            }
            f.write_str(&url[url::Position::BeforeHost..url::Position::AfterPort])?;
        }
        match url.path().rsplit_once('@') {
            Some((_, rest)) if !url.has_host() => write!(f, "{MASK}@{rest}")?,
            _ => f.write_str(url.path())?,
        }
        for (mark, parameters) in [('?', url.query()), ('#', url.fragment())] {
            if let Some(parameters) = parameters {
                let mut masked = String::from(mark);
                push_parameters(parameters, &mut masked);
                f.write_str(&masked)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

/// Headers to be shown, without what may be a secret.
pub(crate) struct MaskedHeaders<'a>(pub(crate) &'a http::HeaderMap);

impl fmt::Debug for MaskedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.0 {
            let is_secret = value.is_sensitive() || is_secret_header(name);
            match name {
                _ if is_secret => map.entry(&name.as_str(), &MASK),
                &http::header::LOCATION => {
                    map.entry(&name.as_str(), &mask_text(&String::from_utf8_lossy(value.as_bytes())))
                }
                _ => map.entry(&name.as_str(), value),
            };
        }
        map.finish()
    }
}

/// Whether a header says who asks, or may do so: it must not reach another origin, and is not printed.
pub(crate) fn is_secret_header(name: &http::HeaderName) -> bool {
    use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
    [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE].contains(name) || is_secret_name(name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let cases = [
            ("http://h/a?b=c#d", "http://h/a?b=c#d"),
            ("http://me@h/", "http://***@h/"),
            ("http://:pw@h:81/", "http://***@h:81/"),
            ("https://h/?access_token=s&topic=t", "https://h/?access_token=***&topic=t"),
            ("https://h/?Authorization=Bearer%20s", "https://h/?Authorization=***"),
            ("https://h/?%74oken=s", "https://h/?%74oken=***"),
            (
                "https://h/?api_key=s&apiKey=s&x-api-key=s&key=s",
                "https://h/?api_key=***&apiKey=***&x-api-key=***&key=***",
            ),
            ("https://h/?X-Amz-Signature=s", "https://h/?X-Amz-Signature=***"),
            ("https://h/#access_token=s", "https://h/#access_token=***"),
            ("https://h/?a;token=s", "https://h/?a&token=***"),
            ("https://h/?monkey=1&keyword=2", "https://h/?monkey=1&keyword=2"),
            ("ht tp://me:pw@h/?token=s", "ht tp://***@h/?token=***"),
            ("me:pw@h/?token=s", "me:***"),
        ];
        for (url, shown) in cases {
            let masked = mask_text(url);
            assert!(masked == shown || url.starts_with("me:") && !masked.contains('s'), "{url}: {masked}");
        }
        assert!(mask_text(&"x".repeat(1 << 20)).len() < 1 << 10);
    }

    #[test]
    fn headers_are_known_by_name() {
        let secret =
            ["authorization", "cookie", "x-api-key", "x-auth-token", "private-token", "ocp-apim-subscription-key"];
        assert!(secret.iter().all(|name| is_secret_header(&name.parse().unwrap())));
        let open = ["last-event-id", "accept", "idempotency-key", "content-type", "x-plain", "x-request-id"];
        assert!(!open.iter().any(|name| is_secret_header(&name.parse().unwrap())));
    }
}
