//! The marks that proxies leave on a request. An open hub trusts the programs of its own machine, but a proxy on that
//! machine may pass on requests of anybody.
//!
//! This module finds the proxies that leave a mark. A proxy that leaves no mark looks like a program of this machine;
//! only keys protect a hub from such a proxy.
use super::origin::{is_local, page_origin};
use http::{
    HeaderMap, HeaderName, Version,
    header::{CONNECTION, ORIGIN, REFERER},
    request::Parts,
};
use std::fmt;

/// A sign that a request came through a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyMark {
    /// The request has a header with this name. If the name ends in `*`, the request has a header whose name begins
    /// with the part before the `*`.
    Header(&'static str),
    /// HTTP/1.0 with `Connection: close`: nginx up to version 1.29 sends its requests in this way, and by default adds
    /// no other mark. No client of today sends `Connection: close` with HTTP/1.0, because in this version every
    /// connection is closed anyway.
    OldVersion,
    /// The page that sent the request comes from another machine, but the browser treats the hub as the origin of this
    /// page. So the browser sent the request to another host than the request's `Host` says: a proxy has rewritten this
    /// header.
    OtherPage,
}

/// The headers that proxies add, in lower case; a `*` stands for any ending.
///
/// A name is listed if a proxy, load balancer, content delivery network or tunnel adds it to forwarded requests, by
/// default or if it is configured as its manual shows. The header must say that the request is forwarded, or for whom.
/// Names that programs themselves send are not listed: those for tracing (`traceparent`, `x-request-id`,
/// `x-cloud-trace-context`, `x-amzn-trace-id`) are sent by many HTTP libraries, and some are meant for a proxy
/// (`cf-access-client-id`, `fly-prefer-region`, `fastly-key`, `x-vercel-protection-bypass`, `x-envoy-retry-on`). A name
/// that begins in the same way as one of the names that programs send is listed in full, without a `*`.
const MARKS: &[&str] = &[
    // Headers of RFC 7239 and its predecessors: used by nearly all proxies.
    "forwarded*",
    "x-forwarded*",
    "x-original*",
    // Headers of RFC 9110, 7.6.3, and RFC 8586.
    "via",
    "cdn-loop",
    "max-forwards",
    "surrogate-capability",
    // Headers that the manual of nginx shows, and that others have copied.
    "x-real-*",
    "x-forward-*",
    "x-nginx-*",
    "x-accel-*",
    "x-scheme",
    "x-url-scheme",
    "front-end-https",
    // Headers of HAProxy, Apache, WebLogic, Rackspace, Riverbed, and many clusters.
    "client-ip",
    "x-client-ip",
    "x-client-cert*",
    "x-client-dn",
    "x-client-port",
    "x-client-verify",
    "x-cluster-*",
    "x-proxy*",
    "x-remote-*",
    "x-host",
    "x-ssl*",
    "ssl-client-*",
    "proxy-client-ip",
    "wl-proxy-*",
    // Headers of Varnish.
    "x-varnish*",
    // Headers of Envoy, and of products that are built on it.
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-downstream-*",
    "x-envoy-expected-*",
    "x-envoy-external-*",
    "x-envoy-internal",
    "x-envoy-ip-tags",
    "x-envoy-original-*",
    "x-envoy-peer-*",
    // Headers of proxies that log users in: oauth2-proxy, Authelia, Authentik, Pomerium, Google's.
    "remote-*",
    "x-auth-request-*",
    "x-authentik-*",
    "x-pomerium-*",
    "x-webauth-*",
    "x-goog-authenticated-*",
    "x-goog-iap-*",
    // Headers of IIS and Azure.
    "x-arr-*",
    "x-rewrite-url",
    "x-azure-*",
    "x-waws-*",
    "disguised-host",
    "x-fd-*",
    // Headers of AWS.
    "x-amzn-mtls-*",
    "x-amzn-oidc-*",
    "x-amzn-tls-*",
    "x-amz-cf-*",
    "cloudfront-*",
    // Headers of content delivery networks and application hosting services.
    "true-client-ip",
    "cf-access-authenticated-*",
    "cf-access-jwt-assertion",
    "cf-connecting-*",
    "cf-ew-via",
    "cf-ip*",
    "cf-pseudo-*",
    "cf-ray",
    "cf-visitor",
    "cf-warp-*",
    "cf-worker",
    "fastly-client*",
    "fastly-ff",
    "fastly-ssl",
    "akamai-*",
    "x-akamai-*",
    "incap-client-ip",
    "x-sucuri-*",
    "fly-client-ip",
    "fly-forwarded-*",
    "fly-region",
    "fly-request-id",
    "fly-tls-*",
    "x-vercel-forwarded-*",
    "x-vercel-id",
    "x-vercel-ip-*",
    "x-vercel-prox*",
    "x-nf-*",
    "x-appengine-*",
    "do-connecting-ip",
    // Headers of tunnels.
    "tailscale-*",
];

/// Returns the first mark of a proxy that the request `parts` has; `None` if it has none.
pub(super) fn mark(parts: &Parts) -> Option<ProxyMark> {
    if let Some(mark) = parts.headers.keys().find_map(mark_of) {
        return Some(ProxyMark::Header(mark));
    }
    if parts.version == Version::HTTP_10 && closes(&parts.headers) {
        return Some(ProxyMark::OldVersion);
    }
    is_page_of_elsewhere(parts).then_some(ProxyMark::OtherPage)
}

fn mark_of(name: &HeaderName) -> Option<&'static str> {
    let name = name.as_str();
    MARKS.iter().copied().find(|mark| match mark.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *mark,
    })
}

fn closes(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|option| option.trim().eq_ignore_ascii_case("close"))
}

/// Returns true if the page that sent the request comes from another machine, but the browser treats the hub as the
/// origin of this page. This shows in `Sec-Fetch-Site`: for a page of another machine, a browser that reaches this
/// machine directly sends `cross-site`. It sends `same-origin` only if it treats the hub as the page's origin. Over
/// plain HTTP to another machine, a browser sends no `Sec-Fetch-Site`, but it sends `Origin` with every request to
/// another origin than the page's. So if a request has neither of these headers, and `Referer` names a page, this page
/// is of the hub's origin, or somebody has followed a link on it.
fn is_page_of_elsewhere(parts: &Parts) -> bool {
    let is_elsewhere =
        |headers: &[HeaderName]| page_origin(parts, headers).is_some_and(|page| page.is_tuple() && !is_local(&page));
    match parts.headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin" && is_elsewhere(&[ORIGIN, REFERER]),
        None => !parts.headers.contains_key(ORIGIN) && is_elsewhere(&[REFERER]),
    }
}

impl fmt::Display for ProxyMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header {name}"),
            Self::OldVersion => f.write_str("HTTP/1.0 with 'Connection: close'"),
            Self::OtherPage => f.write_str("a page of another host"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(version: Version, headers: &[(&str, &str)]) -> Parts {
        let request = Request::get("/").version(version).header("host", "127.0.0.1:3000");
        headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value))
            .body(())
            .unwrap()
            .into_parts()
            .0
    }

    #[test]
    fn what_proxies_add_is_seen() {
        let names = [
            "Forwarded",
            "Forwarded-For",
            "Via",
            "X-Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "X-Forwarded-Port",
            "X-Forwarded-Server",
            "X-Forwarded-Prefix",
            "X-Forwarded-Ssl",
            "X-Forwarded-By",
            "X-Forwarded-User",
            "X-Real-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "CF-Ray",
            "CF-Visitor",
            "CDN-Loop",
            "X-Client-IP",
            "X-Cluster-Client-IP",
            "Fastly-Client-IP",
            "Fastly-FF",
            "X-Original-URI",
            "X-Original-Host",
            "X-Original-Forwarded-For",
            "X-Envoy-External-Address",
            "X-Envoy-Expected-Rq-Timeout-Ms",
            "X-ProxyUser-Ip",
            "X-ARR-LOG-ID",
            "X-ARR-SSL",
            "X-Azure-ClientIP",
            "X-Amzn-Oidc-Data",
            "X-Amzn-Mtls-Clientcert",
            "X-Amz-Cf-Id",
            "CloudFront-Viewer-Address",
            "Tailscale-User-Login",
            "Fly-Client-IP",
            "X-Vercel-Forwarded-For",
            "X-Varnish",
            "X-NginX-Proxy",
            "Front-End-Https",
            "X-Remote-User",
            "Remote-User",
            "X-Auth-Request-Email",
            "Client-IP",
            "X-Nf-Client-Connection-Ip",
            "X-Scheme",
            "X-SSL-Client-Cert",
            "X-Client-Cert-Chain",
            "X-Real-Port",
            "X-Forward-For",
            "Surrogate-Capability",
            "Max-Forwards",
            "X-AppEngine-User-IP",
            "DO-Connecting-IP",
        ];
        for name in names {
            let mark = mark(&parts(Version::HTTP_11, &[(name, "x")]));
            assert!(matches!(mark, Some(ProxyMark::Header(_))), "{name}");
        }
        // A header without a value is a mark too.
        assert_eq!(mark(&parts(Version::HTTP_11, &[("x-forwarded-for", "")])), Some(ProxyMark::Header("x-forwarded*")));
    }

    #[test]
    fn what_clients_send_is_no_mark() {
        let headers = [
            ("accept", "*/*"),
            ("accept-language", "de"),
            ("authorization", "Bearer x"),
            ("cache-control", "no-cache"),
            ("connection", "keep-alive"),
            ("content-type", "text/plain"),
            ("cookie", "a=b"),
            ("dnt", "1"),
            ("last-event-id", "x"),
            ("sec-fetch-mode", "cors"),
            ("sec-fetch-site", "same-origin"),
            ("traceparent", "x"),
            ("user-agent", "Mozilla/5.0"),
            ("x-request-id", "x"),
            ("x-requested-with", "XMLHttpRequest"),
            ("x-api-key", "x"),
            ("x-csrf-token", "x"),
            ("priority", "u=1"),
            ("upgrade-insecure-requests", "1"),
            ("referer", "http://localhost:5173/"),
            ("x-cloud-trace-context", "x"),
            ("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678"),
            ("x-amzn-requestid", "x"),
            ("cf-access-client-id", "x.access"),
            ("cf-access-client-secret", "x"),
            ("cf-access-token", "x"),
            ("fly-prefer-region", "fra"),
            ("fly-force-instance-id", "x"),
            ("fastly-key", "x"),
            ("fastly-debug", "1"),
            ("x-vercel-protection-bypass", "x"),
            ("x-envoy-retry-on", "5xx"),
            ("x-envoy-upstream-rq-timeout-ms", "100"),
            ("x-client-info", "an SDK, and its version"),
            ("x-client-version", "1"),
        ];
        assert_eq!(mark(&parts(Version::HTTP_11, &headers)), None);
        assert_eq!(mark(&parts(Version::HTTP_11, &[("connection", "close")])), None);
        assert_eq!(mark(&parts(Version::HTTP_10, &[])), None);
        assert_eq!(mark(&parts(Version::HTTP_10, &[("connection", "keep-alive")])), None);
    }

    #[test]
    fn the_list_is_documented() {
        let page = include_str!("../../../../docs/behind-a-proxy.md");
        for mark in MARKS {
            assert!(page.contains(&format!("`{}`", mark.replace('*', "…"))), "{mark} is not in docs/behind-a-proxy.md");
        }
    }

    #[test]
    fn nginx_is_known_by_how_it_asks() {
        for value in ["close", "Close", "x, close"] {
            assert_eq!(mark(&parts(Version::HTTP_10, &[("connection", value)])), Some(ProxyMark::OldVersion));
        }
    }

    #[test]
    fn a_page_that_takes_the_hub_for_its_origin_is_of_its_machine() {
        let cases: &[(&[(&str, &str)], bool)] = &[
            (&[("sec-fetch-site", "same-origin"), ("referer", "https://hub.example/")], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://hub.example")], true),
            (&[("sec-fetch-site", "same-origin"), ("referer", "http://127.0.0.1:3000/")], false),
            (&[("sec-fetch-site", "same-origin"), ("referer", "http://localhost:5173/app")], false),
            // The browser reached the hub directly: somebody followed a link on another site, or CORS decides about the
            // page.
            (&[("sec-fetch-site", "cross-site"), ("referer", "https://docs.example/")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")], false),
            (&[("referer", "http://192.168.1.5:5173/")], true),
            (&[("referer", "android-app://com.example/")], false),
            (&[("referer", "nonsense")], false),
            (&[("origin", "https://app.example"), ("referer", "https://app.example/")], false),
        ];
        for (headers, expected) in cases {
            assert_eq!(mark(&parts(Version::HTTP_11, headers)) == Some(ProxyMark::OtherPage), *expected, "{headers:?}");
        }
    }
}
