//! Hides values that must not be printed: secrets in URLs and headers.
use fanfare_mask::{MASK, is_secret_name, masked, masked_url, shortened};
use std::fmt;
use url::Url;

/// The number of characters to which a shown text is shortened.
const MAX_SHOWN_CHARS: usize = 200;

/// A URL that is printed without the parts that may be secret. These are user and password, JSON Web Tokens, and the
/// values of parameters with names such as `token`, `access_token`, `authorization` or `api_key`, in the query and in
/// the fragment.
///
/// ```
/// use fanfare_client::Masked;
/// let url = "https://me:pw@example.com/events?topic=news&token=secret".parse()?;
/// assert_eq!(Masked(&url).to_string(), "https://********@example.com/events?topic=news&token=********");
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Masked<'a>(pub &'a Url);

/// Returns a text, which may be a URL, without the parts that look like secrets. A long text is shortened.
pub(crate) fn mask_text(text: &str) -> String {
    shortened(&masked_url(text), MAX_SHOWN_CHARS).into_owned()
}

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked_url(self.0.as_str()))
    }
}

impl fmt::Debug for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

/// Headers that are printed without the values that may be secret.
pub(crate) struct MaskedHeaders<'a>(pub(crate) &'a http::HeaderMap);

impl fmt::Debug for MaskedHeaders<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.0 {
            let text = || String::from_utf8_lossy(value.as_bytes()).into_owned();
            if value.is_sensitive() || is_secret_header(name) {
                map.entry(&name.as_str(), &MASK);
            } else if name == http::header::LOCATION {
                map.entry(&name.as_str(), &mask_text(&text()));
            } else {
                map.entry(&name.as_str(), &masked(&text()));
            }
        }
        map.finish()
    }
}

/// Returns true if a header with this name identifies the sender, or may do so. Such a header must not be sent to
/// another origin, and is not printed.
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
            ("http://:pw@h:81/", "http://********@h:81/"),
            ("https://h/?access_token=s&topic=t", "https://h/?access_token=********&topic=t"),
            ("https://h/?a;token=s", "https://h/?a;token=********"),
            ("https://h/?token=s;t&pin=s?t", "https://h/?token=********&pin=********"),
            ("https://h/?monkey=1&keyword=2", "https://h/?monkey=1&keyword=2"),
            ("ht tp://me:pw@h/?token=s", "ht tp://********@h/?token=********"),
            ("me:pw@h/?token=s", "********@h/?token=********"),
        ];
        for (text, shown) in cases {
            assert_eq!(mask_text(text), shown);
            if let Ok(url) = text.parse() {
                assert_eq!(Masked(&url).to_string(), mask_text(url.as_str()));
            }
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
