//! The reasons why a request got no response: what failed, who caused it, and the underlying errors.
use super::ProxyUrl;
use crate::BoxError;
use http::StatusCode;
use std::{error::Error, fmt, time::Duration};

/// The reason why a request got no response.
///
/// A program can compare [`failure`](Self::failure). The text of the error is for people and contains all causes.
/// [`cause`](Self::cause) returns the causes as values; their types may change with hyper and rustls.
#[derive(Debug)]
pub struct HyperError {
    failure: Failure,
    /// The proxy between client and server, if there is one.
    proxy: Option<Box<ProxyUrl>>,
    cause: Option<BoxError>,
}

/// The kind of failure because of which no response came.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The client cannot connect to the server: its name is not known, or it accepts no connection.
    Connect,
    /// There was no connection within this time, which is for name resolution, TCP, proxy and TLS together.
    ConnectTimeout(Duration),
    /// The server and this client do not agree on TLS: a certificate that is not trusted, for example.
    Tls,
    /// The URL says `https`, but the peer does not use TLS: it may be plain HTTP.
    PlainServer,
    /// The URL says `http`, but the peer uses TLS.
    TlsServer,
    /// The proxy cannot be used: it cannot be reached, its URL is invalid, or its connection broke off.
    Proxy,
    /// The proxy refused to connect, with this status.
    ProxyRefused(StatusCode),
    /// The connection ended before the head of a response came.
    Broken,
    /// The bytes that the peer sent are not HTTP.
    NotHttp,
    /// The request itself is not valid, so it cannot be sent.
    Request,
}

impl HyperError {
    /// Makes the error of a request whose connection failed, during the HTTP handshake or later.
    pub(super) fn broken(error: hyper::Error) -> Self {
        let failure = match () {
            () if error.is_parse() => Failure::NotHttp,
            () if error.is_user() => Failure::Request,
            () => Failure::Broken,
        };
        Self::new(failure, error)
    }

    pub(super) fn new(failure: Failure, cause: impl Into<BoxError>) -> Self {
        Self { failure, proxy: None, cause: Some(cause.into()) }
    }

    /// Makes an error without an underlying error, for a failure that needs no further explanation.
    pub(super) fn plain(failure: Failure) -> Self {
        Self { failure, proxy: None, cause: None }
    }

    pub(super) fn with_proxy(mut self, proxy: ProxyUrl) -> Self {
        self.proxy = Some(Box::new(proxy));
        self
    }

    /// Returns the kind of failure.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    /// Returns true if no connection was made, so that no byte of the request was sent.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        !matches!(self.failure, Failure::Broken | Failure::NotHttp | Failure::TlsServer | Failure::Request)
    }

    /// Returns the underlying error, with its sources; or this error itself if there is no underlying error.
    #[must_use]
    pub fn cause(&self) -> &(dyn Error + 'static) {
        match &self.cause {
            Some(cause) => &**cause,
            None => self,
        }
    }

    fn write_failure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.failure, &self.proxy) {
            (Failure::Connect | Failure::Tls, None) => f.write_str("cannot connect"),
            (Failure::Connect | Failure::Tls, Some(proxy)) => write!(f, "cannot connect through the proxy {proxy}"),
            (Failure::ConnectTimeout(time), None) => write!(f, "cannot connect within {time:?}"),
            (Failure::ConnectTimeout(time), Some(proxy)) => {
                write!(f, "cannot connect within {time:?} through the proxy {proxy}")
            }
            (Failure::PlainServer, _) => {
                f.write_str("the server does not use TLS on this port: is it http:// in place of https://?")
            }
            (Failure::TlsServer, _) => {
                f.write_str("the server uses TLS on this port: use https:// in place of http://")
            }
            (Failure::Proxy, Some(proxy)) => write!(f, "cannot use the proxy {proxy}"),
            (Failure::Proxy, None) => f.write_str("cannot use the proxy"),
            (Failure::ProxyRefused(status), Some(proxy)) => write!(f, "the proxy {proxy} answered {status}"),
            (Failure::ProxyRefused(status), None) => write!(f, "the proxy answered {status}"),
            (Failure::Broken, _) => f.write_str("the connection ended before an answer came"),
            (Failure::NotHttp, _) => f.write_str("the answer is not HTTP"),
            (Failure::Request, _) => f.write_str("the request cannot be sent"),
        }
    }
}

impl fmt::Display for HyperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_failure(f)?;
        let mut said = String::new();
        let mut next: Option<&(dyn Error + 'static)> = match &self.cause {
            Some(cause) => Some(&**cause),
            None => None,
        };
        while let Some(cause) = next {
            // Some errors print the text of the error that they wrap. This text must not be printed twice.
            let text = cause.to_string();
            if !said.contains(&text) {
                write!(f, ": {text}")?;
            }
            (said, next) = (text, cause.source());
        }
        Ok(())
    }
}

// This error has no `source`, because its text contains the sources already.
impl Error for HyperError {}
