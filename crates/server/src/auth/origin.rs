//! The origin of a request, which shows whether the user of a browser meant it. This protects against cross-site
//! request forgery and DNS rebinding.
//!
//! A browser adds cookies to the requests of any page, and lets any page send requests to a hub on loopback. A token in
//! a header or in the query proves that the sender meant the request. Without such a token, the origin of the page must
//! prove it ([Mercure, security considerations](https://mercure.rocks/spec#security-considerations)).
use super::settings::AuthSettings;
use crate::host;
use http::{
    HeaderName,
    header::{ORIGIN, REFERER},
    request::Parts,
};
use std::{fmt, net::IpAddr};
use url::{Host, Origin, Url};

/// The reason why the user of a browser may not have meant a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForeignOrigin {
    /// A request with a cookie has neither `Origin` nor `Referer`, so the page that made it is unknown.
    Missing,
    /// The page belongs to another origin, and the settings do not allow the pages of this origin to publish.
    NotAllowed,
    /// The hub requires no tokens and serves only its own machine, but the request names another host: a web page may
    /// have made its own host name resolve to loopback.
    NotLoopback,
}

/// Checks a request that changes something and that is authorized by a cookie. The page that sent it must come from the
/// hub's own origin or from an allowed one.
pub(super) fn check_cookie(parts: &Parts, settings: &AuthSettings) -> Result<(), ForeignOrigin> {
    match page_origin(parts, &[ORIGIN, REFERER]) {
        None => Err(ForeignOrigin::Missing),
        Some(page) if is_own(&page, parts, &settings.hub_url) || is_allowed(&page, settings) => Ok(()),
        Some(_) => Err(ForeignOrigin::NotAllowed),
    }
}

/// Checks a request to an open hub, which needs no token: its `Host` must name this machine. If the hub is also open
/// behind a proxy, `Host` may name the hub's public name instead. No other name is allowed, even for a request with the
/// marks of a proxy, since a page can add such marks to its requests.
pub(super) fn check_name(parts: &Parts, settings: &AuthSettings) -> Result<(), ForeignOrigin> {
    let named = own_host(parts).and_then(|authority| Url::parse(&format!("http://{authority}/")).ok());
    let host = named.as_ref().and_then(Url::host);
    let is_public = |host: &Host<&str>| settings.open_behind_proxy && settings.hub_url.host().as_ref() == Some(host);
    match host {
        Some(host) if is_loopback(&host) || is_public(&host) => Ok(()),
        _ => Err(ForeignOrigin::NotLoopback),
    }
}

/// Checks a request to an open hub that changes something. The page that sent it must come from this machine or from an
/// allowed origin. A request without an origin is allowed, because only programs send such requests.
pub(super) fn check_page(parts: &Parts, settings: &AuthSettings) -> Result<(), ForeignOrigin> {
    if parts.method.is_safe() {
        return Ok(());
    }
    let is_public = |page: &Origin| settings.open_behind_proxy && *page == settings.hub_url.origin();
    match page_origin(parts, &[ORIGIN]) {
        Some(page) if !is_local(&page) && !is_allowed(&page, settings) && !is_public(&page) => {
            Err(ForeignOrigin::NotAllowed)
        }
        _ => Ok(()),
    }
}

/// Returns the origin in the first of `headers` that is present. If the value of this header cannot be read (such as
/// `null`), or if the header is there twice, the returned origin is equal to no other origin.
pub(super) fn page_origin(parts: &Parts, headers: &[HeaderName]) -> Option<Origin> {
    let name = headers.iter().find(|name| parts.headers.contains_key(*name))?;
    let mut values = parts.headers.get_all(name).iter();
    let only = values.next().filter(|_| values.next().is_none());
    let url = only.and_then(|value| value.to_str().ok()).and_then(|text| Url::parse(text).ok());
    Some(url.map_or_else(Origin::new_opaque, |url| url.origin()))
}

/// Returns true if `page` is of the hub's own origin: the scheme, host and port by which the request reached the hub.
///
/// The request does not contain the scheme. If the request names the host of the hub's public URL, the scheme of that
/// URL is used. Otherwise the scheme must be `https`, except on loopback: an attacker on the path of a plain `http`
/// connection can show any page under the host's name, and on loopback there is no such attacker. `X-Forwarded-Proto`
/// is not used: the last of several proxies often sends `http` for requests that came by `https`.
fn is_own(page: &Origin, parts: &Parts, hub_url: &Url) -> bool {
    let Origin::Tuple(scheme, host, _) = page else { return false };
    let Some(authority) = own_host(parts) else { return false };
    let own = |scheme: &str| Url::parse(&format!("{scheme}://{authority}/")).map(|url| url.origin());
    if own(hub_url.scheme()).is_ok_and(|own| own == hub_url.origin()) {
        return *page == hub_url.origin();
    }
    (scheme == "https" || is_loopback(host)) && own(scheme).is_ok_and(|own| own == *page)
}

fn is_allowed(page: &Origin, settings: &AuthSettings) -> bool {
    let mut allowed = settings.publish_origins.iter();
    page.is_tuple() && allowed.any(|allowed| Url::parse(allowed).is_ok_and(|url| url.origin() == *page))
}

/// Returns true if a page comes from this machine.
pub(super) fn is_local(page: &Origin) -> bool {
    matches!(page, Origin::Tuple(_, host, _) if is_loopback(host))
}

/// Returns the host and port that the request names. `None` if the request names no host, or not in a valid way.
fn own_host(parts: &Parts) -> Option<&str> {
    host::of(parts).ok().flatten()
}

/// Returns true for loopback addresses, and for names such as `localhost` that browsers always resolve to loopback
/// ([RFC 6761](https://www.rfc-editor.org/rfc/rfc6761)).
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
            Self::NotAllowed => {
                "pages of this origin may not publish; if this is the origin of the hub, set the hub's public-url"
            }
            Self::NotLoopback => {
                "an open hub only answers requests whose host is a loopback name, such as localhost, or, with \
                 open-behind-proxy, the host of its public-url; give the hub a key to use other names"
            }
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

    /// Returns the settings of a hub that allows pages of these origins.
    fn settings(hub_url: &str, allowed: &[&str]) -> AuthSettings {
        let publish_origins = allowed.iter().map(ToString::to_string).collect();
        AuthSettings { publish_origins, ..AuthSettings::open(hub_url.parse().unwrap()) }
    }

    fn allowing() -> AuthSettings {
        settings("http://127.0.0.1:3000/", &["https://app.example", "https://app.example:8443", "not a URL"])
    }

    /// B38: a POST with a cookie needs an allowed `Origin`, or else `Referer`; without both it is refused.
    #[test]
    fn a_cookie_needs_an_origin() {
        let host = ("host", "hub.example");
        let cases: &[(Headers<'_>, Result<(), ForeignOrigin>)] = &[
            (&[host], Err(ForeignOrigin::Missing)),
            (&[host, ("origin", "https://hub.example")], Ok(())),
            (&[host, ("origin", "http://hub.example")], Err(ForeignOrigin::NotAllowed)),
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
            assert_eq!(check_cookie(&request(Method::POST, headers), &allowing()), *expected, "{headers:?}");
        }
    }

    /// RFC 6454: the scheme is a part of an origin. A page at `http://hub.example`, which somebody on the path may have
    /// faked, is not a page of `https://hub.example`.
    #[test]
    fn another_scheme_is_another_origin() {
        let cases = [
            // Each case has the public URL, the request's `Host`, the page's origin, and true if this is the hub's own
            // origin.
            ("https://hub.example/", "hub.example", "https://hub.example", true),
            ("https://hub.example/", "hub.example:443", "https://hub.example", true),
            ("https://hub.example/", "hub.example", "http://hub.example", false),
            ("https://hub.example/", "hub.example", "http://hub.example:443", false),
            ("https://hub.example:8443/", "hub.example:8443", "http://hub.example:8443", false),
            ("http://hub.example/", "hub.example", "http://hub.example", true),
            ("http://hub.example/", "hub.example", "https://hub.example", false),
            ("http://192.168.1.5:3000/", "192.168.1.5:3000", "http://192.168.1.5:3000", true),
            // The request names another host than the public URL, or no public URL is configured.
            ("https://hub.example/", "other.example", "https://other.example", true),
            ("https://hub.example/", "other.example", "http://other.example", false),
            ("http://0.0.0.0:3000/", "hub.example", "https://hub.example", true),
            ("http://0.0.0.0:3000/", "hub.example", "http://hub.example", false),
            ("http://127.0.0.1:3000/", "localhost:3000", "http://localhost:3000", true),
            ("http://127.0.0.1:3000/", "localhost:3000", "https://localhost:3000", true),
            ("https://hub.example/", "127.0.0.1:3000", "http://127.0.0.1:3000", true),
        ];
        for (hub_url, host, page, own) in cases {
            for header in [("origin", page), ("referer", &format!("{page}/page"))] {
                let request = request(Method::POST, &[("host", host), header]);
                let expected = if own { Ok(()) } else { Err(ForeignOrigin::NotAllowed) };
                assert_eq!(check_cookie(&request, &settings(hub_url, &[])), expected, "{hub_url} {host} {header:?}");
            }
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
            assert_eq!(check_name(&request(Method::GET, &[("host", host)]), &allowing()), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "10.0.0.1",
            "0.0.0.0",
            "[::]",
            "app.example",
            "",
        ] {
            let parts = request(Method::GET, &[("host", host)]);
            assert_eq!(check_name(&parts, &allowing()), Err(ForeignOrigin::NotLoopback), "{host}");
        }
        assert_eq!(check_name(&request(Method::GET, &[]), &allowing()), Err(ForeignOrigin::NotLoopback));
    }

    #[test]
    fn an_open_hub_behind_a_proxy_has_a_public_name_too() {
        let closed = settings("https://hub.example/", &[]);
        let open = AuthSettings { open_behind_proxy: true, ..closed.clone() };
        let named = |host| request(Method::POST, &[("host", host), ("origin", "https://hub.example")]);
        assert_eq!(check_name(&named("hub.example"), &closed), Err(ForeignOrigin::NotLoopback));
        assert_eq!(check_page(&named("hub.example"), &closed), Err(ForeignOrigin::NotAllowed));
        assert_eq!(check_name(&named("hub.example"), &open), Ok(()));
        assert_eq!(check_page(&named("hub.example"), &open), Ok(()));
        assert_eq!(check_name(&named("evil.example"), &open), Err(ForeignOrigin::NotLoopback));
        let forged = request(Method::POST, &[("host", "hub.example"), ("origin", "http://hub.example")]);
        assert_eq!(check_page(&forged, &open), Err(ForeignOrigin::NotAllowed));
    }

    #[test]
    fn other_sites_may_not_publish_to_an_open_hub() {
        let check = |method, origin| {
            check_page(&request(method, &[("host", "localhost:3000"), ("origin", origin)]), &allowing())
        };
        assert_eq!(
            check_page(&request(Method::POST, &[("host", "localhost")]), &allowing()),
            Ok(()),
            "programs send none"
        );
        for origin in ["http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]", "https://app.example"] {
            assert_eq!(check(Method::POST, origin), Ok(()), "{origin}");
        }
        for origin in ["https://evil.example", "null", "", "http://localhost.evil.example", "file:///x"] {
            assert_eq!(check(Method::POST, origin), Err(ForeignOrigin::NotAllowed), "{origin}");
            assert_eq!(check(Method::GET, origin), Ok(()), "CORS decides what pages may read");
        }
    }
}
