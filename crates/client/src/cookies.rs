//! Cookies that servers set ([RFC 6265](https://www.rfc-editor.org/rfc/rfc6265)), kept for the next request.
use http::{HeaderMap, HeaderValue, header::SET_COOKIE};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use url::Url;

/// How long one cookie may be, with all that is said of it, in bytes.
const MAX_COOKIE_BYTES: usize = 4 << 10;
/// How many cookies are kept, for one host and for all. One more takes the place of the oldest.
const MAX_COOKIES_PER_HOST: usize = 50;
const MAX_COOKIES: usize = 500;

/// Keeps the cookies that servers set, and sends them back: give it to [`Builder::cookies`](crate::Builder::cookies).
/// Clones are the same jar, so that event sources may share what one of them was given. It lasts as long as the program.
///
/// A cookie goes back to the host that set it, for paths beneath its own, and over TLS alone if it is `Secure`. It goes to
/// no other host, whatever its `Domain` says: which names are one party's cannot be known without a list of all public
/// suffixes. It holds at most 50 cookies of a host and 500 in all, of 4 KiB each.
#[derive(Clone, Default)]
pub struct CookieJar(Arc<Mutex<Vec<Cookie>>>);

struct Cookie {
    name: Vec<u8>,
    value: Vec<u8>,
    host: String,
    path: String,
    is_secure: bool,
    expires: Option<SystemTime>,
}

impl CookieJar {
    /// An empty jar.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a cookie as if `url` had set it: `value` is what `Set-Cookie` would say. One that is not allowed is left out.
    pub fn set(&self, url: &Url, value: impl AsRef<[u8]>) {
        self.keep(url, value.as_ref(), SystemTime::now());
    }

    /// Keeps what a response from `url` sets.
    pub(crate) fn store(&self, url: &Url, headers: &HeaderMap) {
        for value in headers.get_all(SET_COOKIE) {
            self.set(url, value.as_bytes());
        }
    }

    /// What a request to `url` says of cookies, behind what the program has said itself.
    pub(crate) fn header(&self, url: &Url, own: Option<&HeaderValue>) -> Option<HeaderValue> {
        let now = SystemTime::now();
        let mut cookies = self.lock();
        cookies.retain(|cookie| cookie.expires.is_none_or(|expires| expires > now));
        let mut matching: Vec<&Cookie> = cookies.iter().filter(|cookie| cookie.is_for(url)).collect();
        // The longest path first; of the same length, the oldest.
        matching.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs = matching.iter().map(|cookie| [&*cookie.name, b"=", &*cookie.value].concat());
        let all: Vec<Vec<u8>> = own.map(|own| own.as_bytes().to_vec()).into_iter().chain(pairs).collect();
        let mut value = HeaderValue::from_bytes(&all.join(&b"; "[..])).ok().filter(|_| !all.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }

    fn keep(&self, url: &Url, value: &[u8], now: SystemTime) {
        let Some(cookie) = Cookie::read(url, value, now) else { return };
        let mut cookies = self.lock();
        let same =
            |other: &Cookie| (&other.name, &other.host, &other.path) == (&cookie.name, &cookie.host, &cookie.path);
        cookies.retain(|other| !same(other));
        if cookie.expires.is_some_and(|expires| expires <= now) {
            return;
        }
        let of_host = |other: &Cookie| other.host == cookie.host;
        let oldest = match cookies.iter().filter(|other| of_host(other)).count() {
            MAX_COOKIES_PER_HOST.. => cookies.iter().position(of_host),
            _ if cookies.len() >= MAX_COOKIES => Some(0),
            _ => None,
        };
        if let Some(oldest) = oldest {
            cookies.remove(oldest);
        }
        cookies.push(cookie);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Cookie>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cookie {
    /// Reads what `Set-Cookie` says ([5.2](https://www.rfc-editor.org/rfc/rfc6265#section-5.2)); `None` if `url` may not.
    fn read(url: &Url, text: &[u8], now: SystemTime) -> Option<Self> {
        let is_control = |byte: &u8| *byte < b' ' && *byte != b'\t' || *byte == 0x7f;
        if text.len() > MAX_COOKIE_BYTES || text.iter().any(is_control) {
            return None;
        }
        let host = url.host_str()?.to_owned();
        let mut parts = text.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let (name, value) = split(parts.next()?);
        let (mut path, mut is_secure, mut max_age, mut expires, mut domain) = (None, false, None, None, None);
        for part in parts {
            let (name, value) = split(part);
            let value = std::str::from_utf8(value).unwrap_or_default();
            match name.to_ascii_lowercase().as_slice() {
                b"path" => path = value.starts_with('/').then(|| value.to_owned()),
                b"secure" => is_secure = true,
                b"max-age" => max_age = age(value, now).or(max_age),
                b"expires" => expires = date(value).or(expires),
                b"domain" => {
                    domain = Some(value.trim_start_matches('.').to_ascii_lowercase()).filter(|name| !name.is_empty());
                }
                _ => {}
            }
        }
        let is_https = url.scheme() == "https";
        let is_of_domain = domain.as_ref().is_none_or(|domain| {
            host == *domain || host.strip_suffix(&**domain).is_some_and(|rest| rest.ends_with('.'))
        });
        let for_host = !starts(name, b"__host-") || is_secure && domain.is_none() && path.as_deref() == Some("/");
        let for_tls = !starts(name, b"__secure-") || is_secure;
        if name.is_empty() || !is_of_domain || !for_host || !for_tls || is_secure && !is_https {
            return None;
        }
        let path = path.unwrap_or_else(|| default_path(url));
        let (name, value) = (name.to_vec(), value.to_vec());
        Some(Self { name, value, host, path, is_secure, expires: max_age.or(expires) })
    }

    fn is_for(&self, url: &Url) -> bool {
        let path = url.path();
        let beneath = path
            .strip_prefix(&*self.path)
            .is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'));
        beneath && url.host_str() == Some(&*self.host) && (!self.is_secure || url.scheme() == "https")
    }
}

/// Name and value of a part; a part without `=` is a name.
fn split(part: &[u8]) -> (&[u8], &[u8]) {
    match part.iter().position(|byte| *byte == b'=') {
        Some(at) => (part[..at].trim_ascii(), part[at + 1..].trim_ascii()),
        None => (part, b""),
    }
}

fn starts(name: &[u8], prefix: &[u8]) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn age(seconds: &str, now: SystemTime) -> Option<SystemTime> {
    /// Longer than any program runs.
    const MAX_AGE: u64 = 400 * 24 * 60 * 60;
    if seconds.starts_with('-') || seconds == "0" {
        return Some(SystemTime::UNIX_EPOCH);
    }
    let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = is_number.then(|| seconds.parse().unwrap_or(MAX_AGE).min(MAX_AGE))?;
    Some(now + Duration::from_secs(seconds))
}

/// A date as HTTP writes it, or with dashes, as some servers still do.
fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).or_else(|_| httpdate::parse_http_date(&text.replace('-', " "))).ok()
}

/// The directory of a URL's path ([5.1.4](https://www.rfc-editor.org/rfc/rfc6265#section-5.1.4)).
fn default_path(url: &Url) -> String {
    match url.path().rfind('/') {
        Some(0) | None => "/".to_owned(),
        Some(end) => url.path()[..end].to_owned(),
    }
}

// Values are not for logs.
impl fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieJar").field("cookies", &self.lock().len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(set: &[(&str, &str)], to: &str) -> String {
        let jar = CookieJar::new();
        for (url, cookie) in set {
            jar.set(&url.parse().unwrap(), cookie);
        }
        let header = jar.header(&to.parse().unwrap(), None);
        header.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_cookie_goes_back_to_whom_it_is_from() {
        let url = "http://a.example/x/y";
        let cases: &[(&str, &str, &str)] = &[
            ("a=1", "http://a.example/x/z", "a=1"),
            ("a=1", "http://a.example:81/x", "a=1"),
            ("a=1", "https://a.example/x/", "a=1"),
            ("a=1", "http://a.example/", ""),
            ("a=1", "http://a.example/xy", ""),
            ("a=1; Path=/", "http://a.example/", "a=1"),
            ("a=1; path=/x/", "http://a.example/x/q", "a=1"),
            ("a=1; Path=relative", "http://a.example/", ""),
            ("a=1; Path=/", "http://b.example/", ""),
            ("a=1; Path=/; Domain=a.example", "http://a.example/", "a=1"),
            ("a=1; Path=/; Domain=.example", "http://b.example/", ""),
            ("a=1; Path=/; Domain=b.example", "http://a.example/", ""),
            ("a=1; Path=/; Domain=b.example", "http://b.example/", ""),
            ("a=1; Path=/; Secure", "https://a.example/", ""),
            ("__Secure-a=1; Path=/", "http://a.example/", ""),
            ("__Host-a=1; Path=/", "http://a.example/", ""),
            ("a=1; Path=/; Max-Age=0", "http://a.example/", ""),
            ("a=1; Path=/; Max-Age=-1", "http://a.example/", ""),
            ("a=1; Path=/; Max-Age=99999999999999999999", "http://a.example/", "a=1"),
            ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:01 GMT", "http://a.example/", ""),
            ("a=1; Path=/; Expires=Thu, 01-Jan-1970 00:00:01 GMT", "http://a.example/", ""),
            ("a=1; Path=/; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:01 GMT", "http://a.example/", "a=1"),
            ("a=b=c; Path=/; HttpOnly; SameSite=Lax", "http://a.example/", "a=b=c"),
            ("=1; Path=/", "http://a.example/", ""),
            ("a=1\u{1}; Path=/", "http://a.example/", ""),
        ];
        for (cookie, to, expected) in cases {
            assert_eq!(sent(&[(url, cookie)], to), *expected, "{cookie} to {to}");
        }
        let secure = ("https://a.example/", "a=1; Secure");
        assert_eq!(sent(&[secure], "https://a.example/"), "a=1");
        assert_eq!(sent(&[secure], "http://a.example/"), "");
    }

    #[test]
    fn a_cookie_replaces_the_one_of_its_name_and_path() {
        let url = "http://a.example/x/y";
        let set = [(url, "a=1"), (url, "b=2; Path=/"), (url, "a=3"), (url, "a=4; Path=/")];
        assert_eq!(sent(&set, url), "a=3; b=2; a=4");
        assert_eq!(sent(&[(url, "a=1"), (url, "a=; Max-Age=0")], url), "");
    }

    #[test]
    fn a_jar_is_bounded() {
        let jar = CookieJar::new();
        let url = |host: usize| format!("http://h{host}.example/").parse::<Url>().unwrap();
        for host in 0..2 * MAX_COOKIES / MAX_COOKIES_PER_HOST {
            for number in 0..2 * MAX_COOKIES_PER_HOST {
                jar.set(&url(host), format!("c{number}=1"));
            }
        }
        assert_eq!(jar.lock().len(), MAX_COOKIES);
        let last = jar.header(&url(2 * MAX_COOKIES / MAX_COOKIES_PER_HOST - 1), None).unwrap();
        assert_eq!(last.to_str().unwrap().split("; ").count(), MAX_COOKIES_PER_HOST);
        let jar = CookieJar::new();
        jar.set(&url(0), format!("a={}", "x".repeat(MAX_COOKIE_BYTES - 2)));
        jar.set(&url(0), format!("b={}", "x".repeat(MAX_COOKIE_BYTES - 1)));
        assert_eq!(jar.lock().len(), 1);
    }

    #[test]
    fn what_the_program_says_itself_stands_before() {
        let (jar, url) = (CookieJar::new(), "http://a.example/".parse().unwrap());
        let own = HeaderValue::from_static("own=1");
        assert_eq!(jar.header(&url, Some(&own)).unwrap(), "own=1");
        jar.set(&url, "a=2");
        assert_eq!(jar.header(&url, Some(&own)).unwrap(), "own=1; a=2");
        assert!(!format!("{jar:?}").contains('2'));
    }
}
