//! The URL of a JWK set: it must be `https`, or plain `http` to this machine.
use fanfare_mask::{MASK, masked_url};
use std::{fmt, str::FromStr};
use url::{Host, Url};

/// The URL of a JWK set. `Display` writes the whole URL, which may contain secrets; use [`masked`](Self::masked) for
/// text that people see.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JwksUrl(Url);

/// The reason why a text is not a URL from which a JWK set may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidJwksUrl {
    /// The text is not the URL of a web server.
    Unreadable,
    /// The URL is plain `http` to another machine: an attacker in the network between them could replace the keys.
    Plain,
    /// The URL contains a user name or a password.
    Credentials,
}

impl JwksUrl {
    /// Returns the URL in a form that may be printed: without the values in its query, which may be secrets, and
    /// without other secrets.
    #[must_use]
    pub fn masked(&self) -> impl fmt::Display + '_ {
        Masked(&self.0)
    }

    /// Returns true if the set is fetched over TLS.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.0.scheme() == "https"
    }

    pub(crate) fn host(&self) -> Host<&str> {
        self.0.host().expect("from_str has checked that there is a host")
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port_or_known_default().expect("http and https have a default port")
    }

    /// Returns the host, and the port if the URL has one, for the `Host` header.
    pub(crate) fn authority(&self) -> &str {
        &self.0[url::Position::BeforeHost..url::Position::AfterPort]
    }

    /// Returns the path and query.
    pub(crate) fn path(&self) -> &str {
        &self.0[url::Position::BeforePath..url::Position::AfterQuery]
    }
}

impl FromStr for JwksUrl {
    type Err = InvalidJwksUrl;

    fn from_str(text: &str) -> Result<Self, InvalidJwksUrl> {
        let url = Url::parse(text).map_err(|_| InvalidJwksUrl::Unreadable)?;
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(InvalidJwksUrl::Unreadable),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidJwksUrl::Credentials);
        }
        match url.scheme() {
            "https" => Ok(Self(url)),
            "http" if is_loopback => Ok(Self(url)),
            "http" => Err(InvalidJwksUrl::Plain),
            _ => Err(InvalidJwksUrl::Unreadable),
        }
    }
}

/// A URL in the form in which it may be printed: without the values in its query, because any value may be a secret.
struct Masked<'a>(&'a Url);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&masked_url(&self.0[..url::Position::AfterPath]))?;
        for (index, parameter) in self.0.query().into_iter().flat_map(|query| query.split('&')).enumerate() {
            f.write_str(if index == 0 { "?" } else { "&" })?;
            match parameter.split_once('=') {
                Some((name, _)) => write!(f, "{}={MASK}", masked_url(name))?,
                None => f.write_str(MASK)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for JwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.masked().to_string(), f)
    }
}

impl fmt::Display for InvalidJwksUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "expected the URL of a JWK set, such as https://login.example.com/jwks.json",
            Self::Plain => "keys are fetched over https only, or over http from this machine",
            Self::Credentials => "the URL of a JWK set cannot contain a user name or a password",
        })
    }
}

impl std::error::Error for InvalidJwksUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (text, shown) in [
            ("https://h/k", "https://h/k"),
            ("https://h:8443/k?tenant=a&token=secret", "https://h:8443/k?tenant=********&token=********"),
            ("https://h/k;token=secret", "https://h/k;token=********"),
            ("https://h/eyJhbGciOiJub25lIn0.e30.x/k", "https://h/********/k"),
            ("https://h/k?eyJhbGciOiJub25lIn0.e30.x=a", "https://h/k?********=********"),
            ("https://h/k?secret#secret", "https://h/k?********"),
        ] {
            let url: JwksUrl = text.parse().unwrap();
            assert_eq!((url.masked().to_string(), format!("{url:?}")), (shown.to_owned(), format!("{shown:?}")));
            assert_eq!(url.to_string(), text);
        }
    }

    #[test]
    fn https_or_this_machine() {
        let cases = [
            ("https://login.example.com/jwks.json", Ok(("login.example.com", 443, "/jwks.json"))),
            ("https://login.example.com:8443?a=b#c", Ok(("login.example.com:8443", 8_443, "/?a=b"))),
            ("https://10.0.0.1/k", Ok(("10.0.0.1", 443, "/k"))),
            ("http://localhost:8080/k", Ok(("localhost:8080", 8_080, "/k"))),
            ("http://idp.localhost/k", Ok(("idp.localhost", 80, "/k"))),
            ("http://127.0.0.1:1/k", Ok(("127.0.0.1:1", 1, "/k"))),
            ("http://[::1]:1/k", Ok(("[::1]:1", 1, "/k"))),
            ("http://2130706433/k", Ok(("127.0.0.1", 80, "/k"))),
            ("http://login.example.com/k", Err(InvalidJwksUrl::Plain)),
            ("http://localhost.example.com/k", Err(InvalidJwksUrl::Plain)),
            ("http://10.0.0.1/k", Err(InvalidJwksUrl::Plain)),
            ("https://me:pw@login.example.com/k", Err(InvalidJwksUrl::Credentials)),
            ("https://me@login.example.com/k", Err(InvalidJwksUrl::Credentials)),
            ("file:///etc/passwd", Err(InvalidJwksUrl::Unreadable)),
            ("gopher://x/", Err(InvalidJwksUrl::Unreadable)),
            ("/jwks.json", Err(InvalidJwksUrl::Unreadable)),
            ("", Err(InvalidJwksUrl::Unreadable)),
        ];
        for (text, expected) in cases {
            let url = text.parse::<JwksUrl>();
            let parts = url.as_ref().map(|url| (url.authority(), url.port(), url.path())).map_err(|error| *error);
            assert_eq!(parts, expected, "{text}");
        }
    }
}
