//! The host of a request, which the request must name as in [RFC 9112, section
//! 3.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2).
//!
//! If two servers read different hosts from one request, an attacker can use the difference: for example, a proxy
//! routes by one of two `Host` fields, and the hub decides by the other. So a request that names several hosts is
//! refused.
use http::{HeaderValue, Version, header::HOST, request::Parts};
use std::{fmt, net::Ipv6Addr};

/// The reason why the host of a request is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidHost {
    /// There is no `Host` field. HTTP/1.1 requires the field even if the request target names a host.
    Missing,
    /// There are several `Host` fields. This is an error even if their values are equal.
    Repeated,
    /// The value is not one host with an optional port.
    Malformed,
    /// The target of the request is a complete URL, and its host is not the host in `Host`.
    OtherTarget,
    /// The target of the request is a URL whose scheme is not `http` or `https`.
    Scheme,
}

/// A host with an optional port, as RFC 3986 writes them, without a user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Authority<'a> {
    host: &'a str,
    port: Option<u16>,
}

/// Returns the host of a request, with its port, as the request writes it; `None` if an HTTP/1.0 request names no host,
/// which this version allows.
///
/// # Errors
/// [`InvalidHost`] if the host is missing or not valid; the answer is then 400.
pub(crate) fn of(parts: &Parts) -> Result<Option<&str>, InvalidHost> {
    let mut fields = parts.headers.get_all(HOST).iter();
    let field = fields.next();
    if fields.next().is_some() {
        return Err(InvalidHost::Repeated);
    }
    let field = field.map(text).transpose()?;
    let named = field.map(Authority::read).transpose()?;
    let Some(target) = parts.uri.authority() else {
        return match field {
            None if parts.version == Version::HTTP_11 => Err(InvalidHost::Missing),
            field => Ok(field),
        };
    };
    let default_port = match parts.uri.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        // Only the target of a CONNECT request has no scheme.
        None => None,
        Some(_) => return Err(InvalidHost::Scheme),
    };
    let wanted = Authority::read(target.as_str())?;
    match named {
        Some(named) if !named.is_same(wanted, default_port) => Err(InvalidHost::OtherTarget),
        None if parts.version == Version::HTTP_11 => Err(InvalidHost::Missing),
        _ => Ok(Some(target.as_str())),
    }
}

fn text(value: &HeaderValue) -> Result<&str, InvalidHost> {
    value.to_str().map_err(|_| InvalidHost::Malformed)
}

impl<'a> Authority<'a> {
    /// Reads `uri-host [ ":" port ]` of [RFC 9110, 7.2](https://www.rfc-editor.org/rfc/rfc9110#section-7.2). The host
    /// must not be empty, since no URL of `http` has an empty one.
    fn read(text: &'a str) -> Result<Self, InvalidHost> {
        let (host, port) = match text.rfind(']') {
            Some(end) => text.split_at(end + 1),
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().map_err(|_| InvalidHost::Malformed)?)
            }
            _ => return Err(InvalidHost::Malformed),
        };
        if is_host(host) { Ok(Self { host, port }) } else { Err(InvalidHost::Malformed) }
    }

    fn is_same(self, other: Self, default_port: Option<u16>) -> bool {
        self.host.eq_ignore_ascii_case(other.host) && self.port.or(default_port) == other.port.or(default_port)
    }
}

/// Returns true for an IPv6 address in brackets, an IPv4 address or a name ([RFC 3986, 3.2.2]). A comma is not allowed,
/// because it would make a list of hosts. A percent sign is not allowed, because no client sends it and some servers
/// decode it.
///
/// [RFC 3986, 3.2.2]: https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2
fn is_host(text: &str) -> bool {
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+;=".contains(&byte);
            !text.is_empty() && text.bytes().all(fits)
        }
    }
}

impl fmt::Display for InvalidHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the request has no Host header, which HTTP/1.1 needs",
            Self::Repeated => "the request has several Host headers: send one",
            Self::Malformed => "the Host header must be one host name or address, with an optional port",
            Self::OtherTarget => "the Host header names another host than the requested URL",
            Self::Scheme => "the requested URL must begin with http:// or https://",
        })
    }
}

impl std::error::Error for InvalidHost {}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(target: &str, version: Version, hosts: &[&[u8]]) -> Parts {
        let request = Request::builder().uri(target).version(version);
        let value = |bytes: &[u8]| HeaderValue::from_bytes(bytes).unwrap();
        let request = hosts.iter().fold(request, |request, host| request.header(HOST, value(host)));
        request.body(()).unwrap().into_parts().0
    }

    /// RFC 9112, 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message that
    /// lacks a Host header field and to any request message that contains more than one Host header field line or a
    /// Host header field with an invalid field value."
    #[test]
    fn a_request_names_one_host() {
        for host in ["a", "a:80", "a:", "A.example:3000", "127.0.0.1:1", "[::1]", "[::1]:3000", "a_b.example", "xn--a."]
        {
            let parts = parts("/", Version::HTTP_11, &[host.as_bytes()]);
            assert_eq!(of(&parts), Ok(Some(host)));
        }
        let malformed: [&[u8]; 30] = [
            b"",
            b" ",
            b":80",
            b"user@a",
            b"user:pw@a:80",
            b"@a",
            b"a/b",
            b"a/",
            b"a?b",
            b"a#b",
            b"a, b",
            b"a,b",
            b"a b",
            b"a\tb",
            b"a:b",
            b"a:80:80",
            b"a:-1",
            b"a:+1",
            b"a:65536",
            b"a: 80",
            b"::1",
            b"[::1",
            b"::1]",
            b"[::1]x",
            b"[::1%25lo]",
            b"[]",
            b"http://a",
            b"a\\b",
            b"caf\xe9",
            b"%31%32%37.0.0.1",
        ];
        for host in malformed {
            for version in [Version::HTTP_10, Version::HTTP_11] {
                assert_eq!(of(&parts("/", version, &[host])), Err(InvalidHost::Malformed), "{host:?}");
            }
        }
        for hosts in [[b"a".as_slice(), b"a"], [b"localhost", b"evil.example"], [b"", b"a"]] {
            assert_eq!(of(&parts("/", Version::HTTP_11, &hosts)), Err(InvalidHost::Repeated), "{hosts:?}");
        }
    }

    #[test]
    fn only_older_requests_may_name_none() {
        assert_eq!(of(&parts("/", Version::HTTP_11, &[])), Err(InvalidHost::Missing));
        assert_eq!(of(&parts("*", Version::HTTP_11, &[])), Err(InvalidHost::Missing));
        assert_eq!(of(&parts("http://a/", Version::HTTP_11, &[])), Err(InvalidHost::Missing));
        assert_eq!(of(&parts("/", Version::HTTP_10, &[])), Ok(None));
        assert_eq!(of(&parts("http://a/", Version::HTTP_2, &[])), Ok(Some("a")));
    }

    #[test]
    fn the_target_and_the_field_agree() {
        let cases = [
            ("http://a/x", "a", Ok(Some("a"))),
            ("http://a:80/", "A", Ok(Some("a:80"))),
            ("https://a/", "a:443", Ok(Some("a"))),
            ("http://a/", "b", Err(InvalidHost::OtherTarget)),
            ("http://evil.example/", "localhost", Err(InvalidHost::OtherTarget)),
            ("http://localhost/", "evil.example", Err(InvalidHost::OtherTarget)),
            ("http://a:3000/", "a", Err(InvalidHost::OtherTarget)),
            ("https://a/", "a:80", Err(InvalidHost::OtherTarget)),
            ("http://user@a/", "a", Err(InvalidHost::Malformed)),
            ("ftp://a/", "a", Err(InvalidHost::Scheme)),
            ("a:80", "b:80", Err(InvalidHost::OtherTarget)),
        ];
        for (target, host, expected) in cases {
            let parts = parts(target, Version::HTTP_11, &[host.as_bytes()]);
            assert_eq!(of(&parts), expected, "{target} {host}");
        }
    }
}
