//! The cookies that servers set ([RFC 6265](https://www.rfc-editor.org/rfc/rfc6265)), and that are sent back with later
//! requests.
use http::{HeaderMap, HeaderValue, header::SET_COOKIE};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use url::{Host, Url};

/// The longest value of a `Set-Cookie` header that is accepted, in bytes.
const MAX_COOKIE_BYTES: usize = 4 << 10;
/// The greatest number of cookies, and of bytes of cookies, that are kept for one host. One more cookie replaces the
/// oldest.
const OF_HOST: Bound = Bound { cookies: 50, bytes: 64 << 10 };
/// The greatest number of cookies, and of bytes of cookies, that are kept for all hosts together.
const OF_ALL: Bound = Bound { cookies: 500, bytes: 512 << 10 };

/// Keeps the cookies that servers set, and sends them back: give it to [`Builder::cookies`](crate::Builder::cookies).
/// Clones share one jar, so several event sources may use the same cookies. The cookies are lost when the program ends.
///
/// A cookie is sent to the host that set it, for its path and the paths below it, and only over TLS if it is `Secure`.
/// It is sent to no other host, whatever its `Domain` says: without a list of all public suffixes it is not known which
/// host names belong together. A cookie is refused if the host is not part of its `Domain`, or if the `Domain` is a
/// single label (`com`), unless the host itself has this name.
///
/// A response that did not come over TLS cannot set, replace, delete or displace a `Secure` cookie, because anybody
/// between client and server could have sent it. Cookies whose names begin with `__Secure-` or `__Host-` must have the
/// properties that these names promise ([draft of RFC
/// 6265bis](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis)).
///
/// A cookie has at most 4 KiB. The jar keeps at most 50 cookies and 64 KiB for one host, and 500 cookies and 512 KiB in
/// all. One more cookie replaces the oldest; cookies that are not `Secure` are replaced first.
#[derive(Clone, Default)]
pub struct CookieJar(Arc<Mutex<Vec<Cookie>>>);

/// A limit for the number of cookies, and for the bytes of their names, values, hosts and paths.
#[derive(Clone, Copy)]
struct Bound {
    cookies: usize,
    bytes: usize,
}

impl Bound {
    /// Returns true if `cookies`, together with the cookie `more`, are within the limit.
    fn holds<'a>(self, cookies: impl Iterator<Item = &'a Cookie>, more: &Cookie) -> bool {
        let (count, bytes) =
            cookies.fold((1, more.bytes()), |(count, bytes), cookie| (count + 1, bytes + cookie.bytes()));
        count <= self.cookies && bytes <= self.bytes
    }
}

struct Cookie {
    name: Vec<u8>,
    value: Vec<u8>,
    host: String,
    path: String,
    is_secure: bool,
    expires: Option<SystemTime>,
}

impl CookieJar {
    /// Makes an empty jar.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a cookie as if a response from `url` had set it. `value` is the value of `Set-Cookie`. A cookie that is
    /// not allowed is ignored.
    pub fn set(&self, url: &Url, value: impl AsRef<[u8]>) {
        self.keep(url, value.as_ref(), SystemTime::now());
    }

    /// Keeps the cookies that a response from `url` sets.
    pub(crate) fn store(&self, url: &Url, headers: &HeaderMap) {
        for value in headers.get_all(SET_COOKIE) {
            self.set(url, value.as_bytes());
        }
    }

    /// Returns the value of `Cookie` for a request to `url`: first the program's `own` value, then the cookies of the
    /// jar.
    pub(crate) fn header(&self, url: &Url, own: Option<&HeaderValue>) -> Option<HeaderValue> {
        let now = SystemTime::now();
        let mut cookies = self.lock();
        cookies.retain(|cookie| !cookie.is_over(now));
        let mut matching: Vec<&Cookie> = cookies.iter().filter(|cookie| cookie.is_for(url)).collect();
        // Cookies with a longer path come first. The sort is stable, so of two paths of equal length, the older cookie
        // comes first.
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
        cookies.retain(|other| !other.is_over(now));
        let is_protected = |other: &Cookie| other.is_secure && other.shadows(&cookie);
        if url.scheme() != "https" && cookies.iter().any(is_protected) {
            return;
        }
        cookies.retain(|other| !other.is_same(&cookie));
        if !cookie.is_over(now) && make_room(&mut cookies, &cookie) {
            cookies.push(cookie);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Cookie>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the oldest cookies until there is room for one more. Returns false if there is no room, because a cookie
/// that is not `Secure` may not replace a `Secure` one.
fn make_room(cookies: &mut Vec<Cookie>, cookie: &Cookie) -> bool {
    let of_host = |other: &Cookie| other.host == cookie.host;
    let of_all = |_: &Cookie| true;
    for (bound, counts) in [(OF_HOST, &of_host as &dyn Fn(&Cookie) -> bool), (OF_ALL, &of_all)] {
        while !bound.holds(cookies.iter().filter(|other| counts(other)), cookie) {
            let plain = cookies.iter().position(|other| counts(other) && !other.is_secure);
            let any = || cookies.iter().position(counts).filter(|_| cookie.is_secure);
            let Some(oldest) = plain.or_else(any) else { return false };
            cookies.remove(oldest);
        }
    }
    true
}

impl Cookie {
    /// Parses the value of `Set-Cookie` ([5.2](https://www.rfc-editor.org/rfc/rfc6265#section-5.2)). Returns `None` if
    /// the value is not a valid cookie, or if a response from `url` is not allowed to set it.
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
                    domain = Some(value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase());
                    domain = domain.filter(|name| !name.is_empty());
                }
                _ => {}
            }
        }
        let is_https = url.scheme() == "https";
        let is_name = matches!(url.host(), Some(Host::Domain(_)));
        let is_of_domain = domain.as_ref().is_none_or(|domain| {
            // The host must be equal to the domain or be one of its subdomains. A subdomain is not accepted if the host
            // is an IP address, which has no subdomains, or if the domain is a single label, such as `com`, whose hosts
            // do not belong together.
            let is_part = || host.strip_suffix(&**domain).is_some_and(|rest| rest.ends_with('.'));
            host == *domain || is_name && domain.contains('.') && is_part()
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

    /// Returns true if both cookies have the same name, host and path, so that the newer cookie replaces the older one.
    fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.host, &self.path) == (&other.name, &other.host, &other.path)
    }

    /// Returns true if this cookie has the name of `other` and is sent wherever `other` is sent, so the server may
    /// mistake this cookie for `other`.
    fn shadows(&self, other: &Self) -> bool {
        (&self.name, &self.host) == (&other.name, &other.host) && self.is_above(&other.path)
    }

    fn is_over(&self, now: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    fn bytes(&self) -> usize {
        self.name.len() + self.value.len() + self.host.len() + self.path.len()
    }

    /// Returns true if `path` is the cookie's path, or is below it.
    fn is_above(&self, path: &str) -> bool {
        path.strip_prefix(&*self.path)
            .is_some_and(|rest| rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'))
    }

    fn is_for(&self, url: &Url) -> bool {
        self.is_above(url.path()) && url.host_str() == Some(&*self.host) && (!self.is_secure || url.scheme() == "https")
    }
}

/// Splits a part of a `Set-Cookie` value at the first `=` into a name and a value. If there is no `=`, the whole part
/// is the name.
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
    /// The longest age of a cookie, in seconds: 400 days, the limit in the draft of RFC 6265bis.
    const MAX_AGE: u64 = 400 * 24 * 60 * 60;
    if seconds.starts_with('-') || seconds == "0" {
        return Some(SystemTime::UNIX_EPOCH);
    }
    let is_number = !seconds.is_empty() && seconds.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = is_number.then(|| seconds.parse().unwrap_or(MAX_AGE).min(MAX_AGE))?;
    Some(now + Duration::from_secs(seconds))
}

/// Parses a date in the format of HTTP (`06 Nov 1994`), or with dashes (`06-Nov-1994`), as some servers still write it.
fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).or_else(|_| httpdate::parse_http_date(&text.replace('-', " "))).ok()
}

/// Returns the directory of a URL's path, which is the path of a cookie that sets none
/// ([5.1.4](https://www.rfc-editor.org/rfc/rfc6265#section-5.1.4)).
fn default_path(url: &Url) -> String {
    match url.path().rfind('/') {
        Some(0) | None => "/".to_owned(),
        Some(end) => url.path()[..end].to_owned(),
    }
}

// The values of cookies must not get into logs.
impl fmt::Debug for CookieJar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieJar").field("cookies", &self.lock().len()).finish()
    }
}

#[cfg(test)]
mod tests;
