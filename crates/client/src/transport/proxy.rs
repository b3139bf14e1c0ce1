//! The proxies through which URLs are reached.
//!
//! The rules are those of curl, as `hyper-util` implements them, with one exception for security: the variable
//! `HTTP_PROXY` is not read in a CGI program, where a remote client could set it with a `Proxy` header.

use std::{fmt, str::FromStr};

use http::{HeaderValue, Uri, uri::Scheme};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

/// The default port of a SOCKS proxy (RFC 1928).
const SOCKS_PORT: u16 = 1080;

/// The proxy that a transport uses.
#[derive(Clone, Debug, Default)]
pub enum Proxy {
    /// The proxies that the environment names when the transport is built.
    ///
    /// `http_proxy` is for `http` URLs, `https_proxy` for `https` URLs, and `all_proxy` for URLs that the others do not
    /// cover. Each name may also be written in capital letters; that variable is used if the lower-case variable is
    /// missing or empty. `HTTP_PROXY` is not used if `REQUEST_METHOD` is set (<https://httpoxy.org>). If a variable
    /// does not contain a valid proxy, each connection that would use it fails, because connecting without the proxy
    /// could be worse.
    ///
    /// `no_proxy` is a comma-separated list of hosts that are reached directly: names, which include their subdomains
    /// (`example.com`, `.example.com`, `*.example.com`), addresses, networks (`10.0.0.0/8`), or `*` for all hosts.
    /// Ports are ignored.
    #[default]
    FromEnvironment,
    /// No proxy: the transport connects to each server directly.
    None,
    /// This proxy is used for every URL.
    Url(ProxyUrl),
}

/// The URL of a proxy: `http`, `https`, `socks5` or `socks5h`, with user and password if the proxy needs them.
///
/// Without a scheme it is `http`. A SOCKS proxy gets the host name and resolves it itself, for `socks5` too.
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
        // The text may contain a password, so no error contains the text.
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

/// The proxy that passed a response on, or that made the response itself. It is an extension of the response.
#[derive(Clone, Debug)]
pub struct Via(pub ProxyUrl);

/// Prints the URL without user and password.
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

/// The reason why a text is not a valid proxy. It never contains the URL, which may have a password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProxyError {
    /// The text is not a URL.
    Syntax,
    /// Proxies of this scheme are not supported.
    Scheme {
        /// The first 16 characters of the scheme.
        scheme: String,
    },
    /// The value of an environment variable is not a valid proxy.
    Variable {
        /// The name of the variable.
        name: &'static str,
        /// The reason why the variable's value is not a valid proxy.
        cause: Box<ProxyError>,
    },
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("the proxy must be given as a URL"),
            Self::Scheme { scheme } => write!(f, "proxies with the scheme {scheme:?} are not supported"),
            Self::Variable { name, cause } => write!(f, "{name}: {cause}"),
        }
    }
}

impl std::error::Error for ProxyError {}

/// The way to the server of one URL: direct, or through a proxy.
#[derive(Debug)]
pub(super) enum Route {
    Direct,
    /// The proxy gets the request itself, with the whole URL in its first line.
    Forward(Hop),
    /// The proxy connects to the origin after a CONNECT request.
    Tunnel(Hop),
    /// The proxy connects to the origin by the SOCKS protocol.
    Socks {
        proxy: ProxyUrl,
        uri: Uri,
        credentials: Option<(String, String)>,
    },
}

impl Route {
    /// Returns the proxy of the route, if there is one.
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

/// The rules by which a transport chooses its proxy.
#[derive(Debug)]
pub(super) struct Rules {
    http: Named,
    https: Named,
    /// The matcher for `no_proxy`. It matches the URLs that use the proxy: all URLs whose hosts `no_proxy` does not
    /// name.
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

    /// Reads the rules from the variables that the function `variable` returns.
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

    /// Returns the route to the origin of `url`. A proxy that forwards requests uses HTTP/1.1, so a connection that
    /// uses HTTP/2 from the first byte on (`only_tunnels`) needs a tunnel.
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

/// Returns `uri` with its port written out, which is `default` if it has none. The code that asks a proxy to connect
/// would otherwise assume 443.
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
