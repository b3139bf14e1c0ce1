//! The freshness of a JWK set: the time for which it need not be fetched again. It is the time in the `Cache-Control`
//! header of the response, but at least [`MIN_FRESHNESS`] and at most [`MAX_FRESHNESS`] ([RFC 9111, section
//! 5.2.2](https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2)).
use http::{
    HeaderMap,
    header::{AGE, CACHE_CONTROL},
};
use std::time::Duration;

/// The time for which a JWK set is fresh if its server gives no time.
pub const DEFAULT_FRESHNESS: Duration = Duration::from_secs(15 * 60);
/// The shortest time for which a JWK set is fresh, even if its server says that it must not be cached. So while fetches
/// succeed, the hub makes at most about one fetch in this time, apart from the fetches that tokens with unknown keys
/// cause.
pub const MIN_FRESHNESS: Duration = Duration::from_secs(60);
/// The longest time for which a JWK set is fresh. After this time at the latest, a hub fetches the set again and no
/// longer accepts a key that its issuer has removed.
pub const MAX_FRESHNESS: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns the time for which the response with these headers is fresh.
pub(crate) fn freshness(headers: &HeaderMap) -> Duration {
    let mut max_age = None;
    // The value of an unknown directive may contain bytes that are not text. The other directives are read
    // nevertheless.
    for directive in
        headers.get_all(CACHE_CONTROL).iter().flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
    {
        let directive = String::from_utf8_lossy(directive);
        let (name, value) = directive.split_once('=').unwrap_or((&directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return MIN_FRESHNESS,
            "max-age" => max_age = value.trim().trim_matches('"').parse().ok(),
            _ => {}
        }
    }
    let age: u64 = headers.get(AGE).and_then(|value| value.to_str().ok()?.trim().parse().ok()).unwrap_or(0);
    let left = max_age.map(|max_age: u64| Duration::from_secs(max_age.saturating_sub(age)));
    left.unwrap_or(DEFAULT_FRESHNESS).clamp(MIN_FRESHNESS, MAX_FRESHNESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_within_bounds() {
        let seconds = Duration::from_secs;
        let cases: &[(&[(&str, &str)], Duration)] = &[
            (&[], DEFAULT_FRESHNESS),
            (&[("cache-control", "public, max-age=3600")], seconds(3_600)),
            (&[("cache-control", "Max-Age = \"3600\"")], seconds(3_600)),
            (&[("cache-control", "max-age=3600"), ("age", "600")], seconds(3_000)),
            (&[("cache-control", "max-age=3600"), ("age", "6000")], MIN_FRESHNESS),
            (&[("cache-control", "max-age=60")], MIN_FRESHNESS),
            (&[("cache-control", "max-age=61")], seconds(61)),
            (&[("cache-control", "max-age=0")], MIN_FRESHNESS),
            (&[("cache-control", "max-age=86400")], MAX_FRESHNESS),
            (&[("cache-control", "max-age=86401")], MAX_FRESHNESS),
            (&[("cache-control", "max-age=99999999999999999999")], DEFAULT_FRESHNESS),
            (&[("cache-control", "no-store, max-age=3600")], MIN_FRESHNESS),
            (&[("cache-control", "max-age=3600"), ("cache-control", "no-cache")], MIN_FRESHNESS),
            (&[("cache-control", "immutable")], DEFAULT_FRESHNESS),
            (&[("cache-control", "max-age=3600, by=\"é\"")], seconds(3_600)),
        ];
        for (headers, expected) in cases {
            let mut all = HeaderMap::new();
            for (name, value) in *headers {
                let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
                all.append(name.parse::<http::HeaderName>().unwrap(), value);
            }
            assert_eq!(freshness(&all), *expected, "{headers:?}");
        }
    }
}
