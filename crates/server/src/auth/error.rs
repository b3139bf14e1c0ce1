//! The reasons why a request was not authorized, and the challenge that is sent to the client: [RFC 6750, section
//! 3](https://www.rfc-editor.org/rfc/rfc6750#section-3).
use super::{invalid_token::InvalidToken, origin::ForeignOrigin, proxy::ProxyMark};
use http::HeaderValue;
use std::fmt;

/// The reason why a request is not authorized. No variant holds any text from a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// The request needs a token and has none.
    Missing,
    /// The request carries its token in a wrong way.
    Malformed(Malformed),
    /// The request has a cookie with a token, or the hub requires no token. But a page of another origin may have made
    /// the request against the will of the browser's user.
    Origin(ForeignOrigin),
    /// The hub requires no tokens and serves only its own machine, but the request came through a proxy, perhaps from
    /// another machine.
    Proxied(ProxyMark),
    /// The token is not valid.
    Invalid(InvalidToken),
    /// The token is valid, but does not allow what the request asks for.
    Insufficient,
}

/// The ways in which a request can carry a token wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// The value of the `Authorization` header is not `Bearer` and a token.
    Header,
    /// There are several `Authorization` headers.
    RepeatedHeader,
    /// There are several `authorization` query parameters.
    RepeatedQuery,
    /// The `authorization` query parameter is empty.
    EmptyQuery,
    /// The cookie for the token is empty.
    EmptyCookie,
}

impl AuthError {
    /// Returns the value of the `WWW-Authenticate` header; `None` if another token would not help. The challenge has an
    /// error code only if the request carries a token. The reason for the refusal is only in the body of the answer,
    /// for the person who set up the client.
    #[must_use]
    pub fn challenge(&self) -> Option<HeaderValue> {
        let challenge = match self {
            Self::Missing => "Bearer",
            Self::Malformed(_) => r#"Bearer error="invalid_request""#,
            Self::Invalid(_) => r#"Bearer error="invalid_token""#,
            Self::Insufficient => r#"Bearer error="insufficient_scope""#,
            Self::Origin(_) | Self::Proxied(_) => return None,
        };
        Some(HeaderValue::from_static(challenge))
    }
}

impl Malformed {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Header => "the Authorization header must be 'Bearer' followed by a token",
            Self::RepeatedHeader => "only one Authorization header is allowed",
            Self::RepeatedQuery => "only one query parameter 'authorization' is allowed",
            Self::EmptyQuery => "the query parameter 'authorization' must contain a token",
            Self::EmptyCookie => "the authorization cookie must contain a token",
        }
    }
}

impl From<Malformed> for AuthError {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<ForeignOrigin> for AuthError {
    fn from(foreign: ForeignOrigin) -> Self {
        Self::Origin(foreign)
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("this request needs a token"),
            Self::Malformed(malformed) => malformed.fmt(f),
            Self::Origin(foreign) => foreign.fmt(f),
            Self::Proxied(mark) => write!(
                f,
                "this hub has no keys, so it is open to its own machine only, but this request came through a proxy \
                 ({mark}). Give the hub a key (FANFARE_KEY). Or start it with --open-behind-proxy (open-behind-proxy \
                 = true), if everybody who can reach the proxy may publish and read everything"
            ),
            Self::Invalid(reason) => reason.fmt(f),
            Self::Insufficient => f.write_str("the token does not allow this for every requested topic"),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::error::Error for AuthError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// B33: without a token the challenge has no error code; otherwise it has one of the three codes.
    #[test]
    fn challenges() {
        let cases = [
            (AuthError::Missing, Some("Bearer")),
            (Malformed::Header.into(), Some(r#"Bearer error="invalid_request""#)),
            (AuthError::Invalid(InvalidToken::Expired), Some(r#"Bearer error="invalid_token""#)),
            (AuthError::Insufficient, Some(r#"Bearer error="insufficient_scope""#)),
            (ForeignOrigin::Missing.into(), None),
        ];
        for (error, challenge) in cases {
            assert_eq!(error.challenge(), challenge.map(HeaderValue::from_static), "{error}");
        }
    }
}
