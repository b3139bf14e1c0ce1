//! Whether the user of a browser meant a request: cross-site request forgery and DNS rebinding.
//!
//! A browser sends cookies along with requests that any page makes, and reaches a hub on loopback for any page. Tokens in
//! headers or queries prove the intent; for the rest, the page's origin has to. [Mercure, security
//! considerations](https://mercure.rocks/spec#security-considerations).
use http::{
    HeaderName,
    header::{HOST, ORIGIN, REFERER},
    request::Parts,
};
use std::{fmt, net::IpAddr};
use url::{Host, Origin, Url};

/// Why a request may not be what the user meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForeignOrigin {
    /// A request with a cookie says neither in `Origin` nor in `Referer` which page made it.
    Missing,
    /// The page is another site's, and not an allowed one.
    NotAllowed,
    /// The hub is open and only for this machine, but is addressed by a name that is not this machine's: a page may have
    /// had its own name resolve to loopback.
    NotLoopback,
}

/// A cookie authorizes `parts`, which changes something: the page must be the hub's own or an allowed one.
pub(super) fn check_cookie(parts: &Parts, allowed_origins: &[String]) -> Result<(), ForeignOrigin> {
    match page_origin(parts, &[ORIGIN, REFERER]) {
        None => Err(ForeignOrigin::Missing),
        Some(page) if is_own(&page, parts) || is_allowed(&page, allowed_origins) => Ok(()),
        Some(_) => Err(ForeignOrigin::NotAllowed),
    }
}

/// Nothing authorizes `parts`, because the hub is open to its machine: it must be addressed as this machine, and a page
/// that changes something must come from it, or be an allowed one. Programs send no origin.
pub(super) fn check_open(parts: &Parts, allowed_origins: &[String]) -> Result<(), ForeignOrigin> {
    let host = own_host(parts).and_then(|authority| Url::parse(&format!("http://{authority}/")).ok());
    if !host.is_some_and(|url| url.host().is_some_and(|host| is_loopback(&host))) {
        return Err(ForeignOrigin::NotLoopback);
    }
    if parts.method.is_safe() {
        return Ok(());
    }
    match page_origin(parts, &[ORIGIN]) {
        Some(page) if !is_local(&page) && !is_allowed(&page, allowed_origins) => Err(ForeignOrigin::NotAllowed),
        _ => Ok(()),
    }
}

/// The origin in the first of `headers` that is there. One that cannot be read (`null`, say), or is there twice, is an
/// origin like no other.
fn page_origin(parts: &Parts, headers: &[HeaderName]) -> Option<Origin> {
    let name = headers.iter().find(|name| parts.headers.contains_key(*name))?;
    let mut values = parts.headers.get_all(name).iter();
    let only = values.next().filter(|_| values.next().is_none());
    let url = only.and_then(|value| value.to_str().ok()).and_then(|text| Url::parse(text).ok());
    Some(url.map_or_else(Origin::new_opaque, |url| url.origin()))
}

/// Whether `page` is of the host that the request names. The scheme is not known here: a proxy may have taken off TLS.
fn is_own(page: &Origin, parts: &Parts) -> bool {
    let Origin::Tuple(scheme, ..) = page else { return false };
    let own = own_host(parts).and_then(|authority| Url::parse(&format!("{scheme}://{authority}/")).ok());
    own.is_some_and(|url| url.origin() == *page)
}

fn is_allowed(page: &Origin, allowed_origins: &[String]) -> bool {
    page.is_tuple() && allowed_origins.iter().any(|allowed| Url::parse(allowed).is_ok_and(|url| url.origin() == *page))
}

fn is_local(page: &Origin) -> bool {
    matches!(page, Origin::Tuple(_, host, _) if is_loopback(host))
}

fn own_host(parts: &Parts) -> Option<&str> {
    match parts.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None => parts.headers.get(HOST)?.to_str().ok(),
    }
}

/// Loopback addresses, and the names that browsers never look up ([RFC 6761](https://www.rfc-editor.org/rfc/rfc6761)).
fn is_loopback<S: AsRef<str>>(host: &Host<S>) -> bool {
    match host {
        Host::Domain(name) => name.as_ref() == "localhost" || name.as_ref().ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).to_canonical().is_loopback(),
    }
}

impl fmt::Display for ForeignOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "publishing with a cookie needs an Origin or Referer header",
            Self::NotAllowed => "pages of this origin may not publish here",
            Self::NotLoopback => "an open hub answers only to a loopback host, such as localhost",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Method, Request};

    type Headers<'a> = &'a [(&'a str, &'a str)];

    fn request(method: Method, headers: Headers<'_>) -> Parts {
        let request = Request::builder().method(method).uri("/.well-known/mercure");
        headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value))
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    fn allowed() -> Vec<String> {
        vec!["https://app.example".into(), "https://app.example:8443".into(), "not a URL".into()]
    }

    /// B38: with cookie auth on POST verify Origin, else Referer; neither => reject.
    #[test]
    fn a_cookie_needs_an_origin() {
        let host = ("host", "hub.example");
        let cases: &[(Headers<'_>, Result<(), ForeignOrigin>)] = &[
            (&[host], Err(ForeignOrigin::Missing)),
            (&[host, ("origin", "https://hub.example")], Ok(())),
            (&[host, ("origin", "http://hub.example")], Ok(())),
            (&[("host", "hub.example:443"), ("origin", "https://hub.example")], Ok(())),
            (&[("host", "hub.example:8443"), ("origin", "https://hub.example:8443")], Ok(())),
            (&[("host", "hub.example:8443"), ("origin", "https://hub.example")], Err(ForeignOrigin::NotAllowed)),
            (&[host, ("origin", "https://HUB.example")], Ok(())),
            (&[host, ("origin", "https://app.example")], Ok(())),
            (&[host, ("origin", "https://app.example:8443")], Ok(())),
            (&[host, ("origin", "http://app.example")], Err(ForeignOrigin::NotAllowed)),
            (&[host, ("origin", "https://evil.example")], Err(ForeignOrigin::NotAllowed)),
            (&[host, ("origin", "https://hub.example.evil.example")], Err(ForeignOrigin::NotAllowed)),
            (&[host, ("origin", "https://evil.app.example")], Err(ForeignOrigin::NotAllowed)),
            (&[host, ("origin", "null")], Err(ForeignOrigin::NotAllowed)),
            (&[host, ("origin", "")], Err(ForeignOrigin::NotAllowed)),
            (&[host, ("referer", "https://hub.example/page?x=1")], Ok(())),
            (&[host, ("referer", "https://evil.example/https://hub.example")], Err(ForeignOrigin::NotAllowed)),
            (&[host, ("origin", "null"), ("referer", "https://hub.example/")], Err(ForeignOrigin::NotAllowed)),
            (&[("origin", "https://hub.example")], Err(ForeignOrigin::NotAllowed)),
            (
                &[host, ("origin", "https://hub.example"), ("origin", "https://hub.example")],
                Err(ForeignOrigin::NotAllowed),
            ),
        ];
        for (headers, expected) in cases {
            assert_eq!(check_cookie(&request(Method::POST, headers), &allowed()), *expected, "{headers:?}");
        }
    }

    #[test]
    fn an_open_hub_is_for_its_machine_alone() {
        for host in [
            "localhost",
            "LOCALHOST:3000",
            "a.localhost",
            "127.0.0.1:3000",
            "127.1.2.3",
            "[::1]:3000",
            "[::ffff:127.0.0.1]",
        ] {
            assert_eq!(check_open(&request(Method::GET, &[("host", host)]), &[]), Ok(()), "{host}");
            assert_eq!(check_open(&request(Method::POST, &[("host", host)]), &[]), Ok(()), "programs send no origin");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "",
        ] {
            for method in [Method::GET, Method::POST] {
                let parts = request(method, &[("host", host)]);
                assert_eq!(check_open(&parts, &allowed()), Err(ForeignOrigin::NotLoopback), "{host}");
            }
        }
        assert_eq!(check_open(&request(Method::GET, &[]), &[]), Err(ForeignOrigin::NotLoopback));
    }

    #[test]
    fn other_sites_may_not_publish_to_an_open_hub() {
        let check = |method, origin| {
            check_open(&request(method, &[("host", "localhost:3000"), ("origin", origin)]), &allowed())
        };
        for origin in ["http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]", "https://app.example"] {
            assert_eq!(check(Method::POST, origin), Ok(()), "{origin}");
        }
        for origin in ["https://evil.example", "null", "", "http://localhost.evil.example", "file:///x"] {
            assert_eq!(check(Method::POST, origin), Err(ForeignOrigin::NotAllowed), "{origin}");
            assert_eq!(check(Method::GET, origin), Ok(()), "what may be read is for CORS to say");
        }
    }
}
