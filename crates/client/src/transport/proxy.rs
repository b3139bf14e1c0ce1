//! The proxy through which a URL is reached.
//!
//! The rules are those of curl, as `hyper-util` implements them, without what a remote side could make of them: the
//! variable `HTTP_PROXY` is not read in a CGI program, where a request's header `Proxy` would set it.

use std::{fmt, str::FromStr};

use http::{HeaderValue, Uri, uri::Scheme};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

/// The port of a SOCKS proxy if its URL does not say one (RFC 1928).
const SOCKS_PORT: u16 = 1080;

/// The proxy that is used.
#[derive(Clone, Debug, Default)]
pub enum Proxy {
    /// The proxies that the environment names when the transport is built.
    ///
    /// `http_proxy` is for `http` URLs, `https_proxy` for `https` ones, `all_proxy` for what the others leave. Each may
    /// be written in capitals, which count if the lower case is missing or empty; `HTTP_PROXY` does not where
    /// `REQUEST_METHOD` is set (<https://httpoxy.org>). A proxy named there that is none is an error of each connection
    /// that would use it: going around it could be worse.
    ///
    /// `no_proxy` lists, with commas, who is reached directly: names, which cover their subdomains too (`example.com`,
    /// `.example.com`, `*.example.com`), addresses, networks (`10.0.0.0/8`), or `*` for everybody. Ports are not looked
    /// at.
    #[default]
    FromEnvironment,
    /// None.
    None,
    /// This one, for every URL.
    Url(ProxyUrl),
}

/// The URL of a proxy: `http`, `https`, `socks5` or `socks5h`, with user and password if it asks for them.
///
/// Without a scheme it is `http`. SOCKS proxies are given names and resolve them, for `socks5` too.
///
/// ```
/// use fanfare_client::transport::ProxyUrl;
/// let proxy: ProxyUrl = "http://user:secret@proxy.example:3128".parse()?;
/// assert_eq!(proxy.to_string(), "http://proxy.example:3128/");
/// # Ok::<(), fanfare_client::transport::ProxyError>(())
/// ```
#[derive(Clone)]
pub struct ProxyUrl(Intercept);

impl FromStr for ProxyUrl {
    type Err = ProxyError;

    fn from_str(text: &str) -> Result<Self, ProxyError> {
        // Credentials must not be printed, so no error quotes what it was made of.
        let any = Uri::from_static("http://origin.invalid/");
        let known = |scheme: &str| ["http", "https", "socks5", "socks5h"].contains(&scheme);
        if let Some((scheme, _)) = text.split_once("://")
            && !known(&scheme.to_ascii_lowercase())
        {
            return Err(ProxyError::Scheme { scheme: scheme.chars().take(16).collect() });
        }
        let found = Matcher::builder().all(text).build().intercept(&any);
        found
            .filter(|proxy| proxy.uri().host().is_some_and(|host| !host.is_empty()))
            .map(Self)
            .ok_or(ProxyError::Syntax)
    }
}

/// The proxy that passed a response on, or made it itself: an extension of the response.
#[derive(Clone, Debug)]
pub struct Via(pub ProxyUrl);

/// Shows the URL without user and password.
impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.uri().fmt(f)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The reason why something is not a proxy. It never says the URL, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyError {
    /// It is no URL.
    Syntax,
    /// No proxy of this kind can be used.
    Scheme {
        /// The first 16 characters of its scheme.
        scheme: String,
    },
    /// It comes from the environment.
    Variable {
        /// The variable.
        name: &'static str,
        /// The fault of its value.
        cause: Box<ProxyError>,
    },
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("the proxy is not given as a URL"),
            Self::Scheme { scheme } => write!(f, "no proxy is known by the scheme {scheme:?}"),
            Self::Variable { name, cause } => write!(f, "{name}: {cause}"),
        }
    }
}

impl std::error::Error for ProxyError {}

/// The way to one URL.
#[derive(Debug)]
pub(super) enum Route {
    Direct,
    /// The proxy is sent the request, with the whole URL in its first line.
    Forward(Hop),
    /// The proxy connects to the origin when asked by CONNECT.
    Tunnel(Hop),
    /// The proxy connects to the origin when asked as SOCKS has it.
    Socks {
        proxy: ProxyUrl,
        uri: Uri,
        credentials: Option<(String, String)>,
    },
}

impl Route {
    /// The proxy on the way.
    pub(super) fn proxy(&self) -> Option<&ProxyUrl> {
        match self {
            Self::Direct => None,
            Self::Forward(hop) | Self::Tunnel(hop) => Some(&hop.proxy),
            Self::Socks { proxy, .. } => Some(proxy),
        }
    }
}

/// A proxy that speaks HTTP.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) proxy: ProxyUrl,
    pub(super) uri: Uri,
    pub(super) authorization: Option<HeaderValue>,
}

/// The proxies of a transport.
#[derive(Debug)]
pub(super) struct Rules {
    http: Named,
    https: Named,
    /// Intercepts what no exception covers.
    exceptions: Matcher,
}

type Named = Option<Result<ProxyUrl, ProxyError>>;

impl Rules {
    pub(super) fn new(proxy: Proxy) -> Self {
        match proxy {
            Proxy::None => Self::with(None, None, ""),
            Proxy::Url(url) => Self::with(Some(Ok(url.clone())), Some(Ok(url)), ""),
            Proxy::FromEnvironment => Self::from_variables(|name| std::env::var(name).ok()),
        }
    }

    /// A function of the variables alone.
    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let value =
            |name: &'static str| variable(name).filter(|value| !value.trim().is_empty()).map(|value| (name, value));
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let all = value("all_proxy").or_else(|| value("ALL_PROXY"));
        let http = value("http_proxy").or_else(|| value("HTTP_PROXY").filter(|_| !is_cgi));
        let https = value("https_proxy").or_else(|| value("HTTPS_PROXY"));
        let no = value("no_proxy").or_else(|| value("NO_PROXY")).map_or(String::new(), |(_, list)| list);
        if no.split(',').any(|entry| entry.trim() == "*") {
            return Self::with(None, None, "");
        }
        let named = |(name, url): (&'static str, String)| {
            url.trim().parse().map_err(|cause| ProxyError::Variable { name, cause: Box::new(cause) })
        };
        Self::with(http.or_else(|| all.clone()).map(named), https.or(all).map(named), &no)
    }

    fn with(http: Named, https: Named, no: &str) -> Self {
        let entries = no.split(',').map(str::trim).map(|entry| entry.strip_prefix('*').unwrap_or(entry));
        let no = entries.collect::<Vec<_>>().join(",");
        Self { http, https, exceptions: Matcher::builder().all("http://proxy.invalid").no(no).build() }
    }

    /// The way to the origin of `url`. A proxy that forwards speaks HTTP/1.1, so whoever wants to speak HTTP/2 from the
    /// first byte on (`only_tunnels`) has to tunnel.
    pub(super) fn route(&self, url: &Uri, only_tunnels: bool) -> Result<Route, ProxyError> {
        let is_https = url.scheme() == Some(&Scheme::HTTPS);
        let named = if is_https { &self.https } else { &self.http };
        let Some(named) = named.as_ref().filter(|_| self.exceptions.intercept(url).is_some()) else {
            return Ok(Route::Direct);
        };
        let named = named.as_ref().map_err(Clone::clone)?;
        let ProxyUrl(proxy) = named;
        if proxy.uri().scheme_str().is_some_and(|scheme| scheme.starts_with("socks")) {
            let credentials = proxy.raw_auth().map(|(user, password)| (user.to_owned(), password.to_owned()));
            let uri = with_port(proxy.uri(), SOCKS_PORT);
            return Ok(Route::Socks { proxy: named.clone(), uri, credentials });
        }
        let (uri, authorization) = (proxy.uri().clone(), proxy.basic_auth().cloned());
        let hop = Hop { proxy: named.clone(), uri, authorization };
        Ok(if is_https || only_tunnels { Route::Tunnel(hop) } else { Route::Forward(hop) })
    }
}

/// The same authority with its port written out: what asks a proxy to connect assumes 443 else.
pub(super) fn with_port(uri: &Uri, default: u16) -> Uri {
    let mut parts = uri.clone().into_parts();
    parts.authority = match (uri.host(), uri.port()) {
        (Some(host), None) => format!("{host}:{default}").parse().ok(),
        _ => parts.authority,
    };
    Uri::from_parts(parts).unwrap_or_else(|_| uri.clone())
}

#[cfg(test)]
mod tests;
