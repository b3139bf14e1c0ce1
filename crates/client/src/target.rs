//! A request that can be sent several times, and the changes that a redirect makes to it.
use crate::{Masked, RedirectError, masked::is_secret_header};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri,
    header::{CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE, HOST, LOCATION},
};
use std::fmt;
use url::Url;

/// The headers that describe a body. A redirect that removes the body removes them, too.
const OF_BODY: [HeaderName; 5] = [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION, CONTENT_TYPE];

/// A request that can be sent any number of times.
#[derive(Clone)]
pub(crate) struct Target {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The error of a URL that no request can be sent to: it is not `http` or `https`, has no host, or has characters that
/// no request can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotAskable;

impl Target {
    /// Makes the request that is sent, or that a hook may change.
    pub(crate) fn request(&self) -> Result<Request<Bytes>, NotAskable> {
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri(&self.url)?;
        request.headers_mut().clone_from(&self.headers);
        Ok(request)
    }

    /// Makes a target of the request that the hook for attempts returned.
    pub(crate) fn of(request: Request<Bytes>) -> Result<Self, NotAskable> {
        let (parts, body) = request.into_parts();
        let url = Url::parse(&parts.uri.to_string()).map_err(|_| NotAskable)?;
        if parts.method == Method::CONNECT {
            return Err(NotAskable);
        }
        uri(&url)?;
        Ok(Self { method: parts.method, url, headers: parts.headers, body })
    }

    /// Returns the request to the target of a redirect ([Fetch, "HTTP-redirect
    /// fetch"](https://fetch.spec.whatwg.org/#http-redirect-fetch)). Returns `None` if `status` is not the status of a
    /// redirect.
    pub(crate) fn redirected(&self, status: StatusCode, headers: &HeaderMap) -> Option<Result<Self, RedirectError>> {
        matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308).then(|| self.follow(status, headers))
    }

    fn follow(&self, status: StatusCode, headers: &HeaderMap) -> Result<Self, RedirectError> {
        let location = headers.get(LOCATION).ok_or(RedirectError::NoLocation)?;
        let refused = || RedirectError::Location(location.clone());
        let text = std::str::from_utf8(location.as_bytes()).map_err(|_| refused())?;
        let mut next = self.clone();
        next.url = self.url.join(text).map_err(|_| refused())?;
        uri(&next.url).map_err(|NotAskable| refused())?;
        let becomes_get = match status {
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            _ => false,
        };
        if becomes_get && self.method != Method::GET {
            next.method = Method::GET;
            next.body = Bytes::new();
            OF_BODY.iter().for_each(|name| drop(next.headers.remove(name)));
        }
        if next.url.origin() != self.url.origin() {
            next.drop_credentials();
        }
        Ok(next)
    }

    /// Removes the headers that identify the sender: headers with certain names, and headers whose value is marked as
    /// sensitive. Also removes `Host`, which names the old server.
    fn drop_credentials(&mut self) {
        let is_secret = |(name, value): &(&HeaderName, &HeaderValue)| value.is_sensitive() || is_secret_header(name);
        let secret: Vec<_> = self.headers.iter().filter(is_secret).map(|(name, _)| name.clone()).collect();
        secret.iter().chain([&HOST]).for_each(|name| drop(self.headers.remove(name)));
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("method", &self.method).field("url", &Masked(&self.url)).finish_non_exhaustive()
    }
}

/// Returns `url` in the form that a request has: without fragment, user and password.
pub(crate) fn uri(url: &Url) -> Result<Uri, NotAskable> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(NotAskable);
    }
    let mut url = url.clone();
    url.set_fragment(None);
    // These two calls fail only for URLs without a host, and this URL has one.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.as_str().parse().map_err(|_| NotAskable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};

    fn target(method: Method) -> Target {
        let mut sensitive = HeaderValue::from_static("secret");
        sensitive.set_sensitive(true);
        let key = HeaderValue::from_static("secret");
        let headers = [
            (AUTHORIZATION, HeaderValue::from_static("Bearer t")),
            (COOKIE, HeaderValue::from_static("c=1")),
            (HeaderName::from_static("x-api-key"), key),
            (HeaderName::from_static("x-marked"), sensitive),
            (PROXY_AUTHORIZATION, HeaderValue::from_static("Basic x")),
            (HeaderName::from_static("x-plain"), HeaderValue::from_static("1")),
            (CONTENT_TYPE, HeaderValue::from_static("text/plain")),
        ];
        let url = Url::parse("http://one.example/a/b?c").unwrap();
        Target { method, url, headers: headers.into_iter().collect(), body: "body".into() }
    }

    fn redirect(method: Method, status: u16, location: &str) -> Option<Result<Target, RedirectError>> {
        let location = HeaderValue::from_bytes(location.as_bytes()).unwrap();
        let headers = HeaderMap::from_iter([(LOCATION, location)]);
        target(method).redirected(StatusCode::from_u16(status).unwrap(), &headers)
    }

    #[test]
    fn locations_are_relative_to_the_url() {
        let cases = [
            ("/x", "http://one.example/x"),
            ("x?y", "http://one.example/a/x?y"),
            ("//two.example", "http://two.example/"),
            ("https://two.example:8443/é", "https://two.example:8443/%C3%A9"),
        ];
        for (location, url) in cases {
            assert_eq!(redirect(Method::GET, 302, location).unwrap().unwrap().url.as_str(), url);
        }
        for location in ["ftp://x/", "http://", "javascript:alert(1)", "http://[", "data:,x"] {
            assert!(
                matches!(redirect(Method::GET, 301, location), Some(Err(RedirectError::Location(_)))),
                "{location}"
            );
        }
        let nowhere = target(Method::GET).redirected(StatusCode::FOUND, &HeaderMap::new());
        assert!(matches!(nowhere, Some(Err(RedirectError::NoLocation))));
        for status in [200, 300, 304, 305, 404] {
            assert!(redirect(Method::GET, status, "/x").is_none(), "{status}");
        }
    }

    #[test]
    fn the_method_and_the_body_follow_the_status() {
        let cases = [
            (Method::POST, 301, Method::GET),
            (Method::POST, 302, Method::GET),
            (Method::POST, 303, Method::GET),
            (Method::PUT, 303, Method::GET),
            (Method::PUT, 302, Method::PUT),
            (Method::POST, 307, Method::POST),
            (Method::POST, 308, Method::POST),
            (Method::GET, 303, Method::GET),
        ];
        for (method, status, becomes) in cases {
            let next = redirect(method.clone(), status, "/x").unwrap().unwrap();
            assert_eq!(next.method, becomes, "{method} {status}");
            let kept = method == becomes;
            assert_eq!(
                (next.body.is_empty(), next.headers.contains_key(CONTENT_TYPE)),
                (!kept, kept),
                "{method} {status}"
            );
        }
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let cases = [
            ("/x", true),
            ("http://one.example:80/x", true),
            ("https://one.example/x", false),
            ("http://one.example:81/x", false),
            ("http://two.example/x", false),
        ];
        for (location, kept) in cases {
            let next = redirect(Method::GET, 307, location).unwrap().unwrap();
            for name in ["authorization", "cookie", "x-api-key", "x-marked", "proxy-authorization"] {
                assert_eq!(next.headers.contains_key(name), kept, "{name} to {location}");
            }
            assert!(next.headers.contains_key("x-plain"));
        }
    }

    #[test]
    fn what_is_no_part_of_a_request_is_left_out() {
        let url = Url::parse("http://me:pw@h/a?b#c").unwrap();
        assert_eq!(uri(&url).unwrap().to_string(), "http://h/a?b");
    }
}
