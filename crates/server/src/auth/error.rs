//! Why a request was not authorized, and the challenge that tells a client so:
//! [RFC 6750, section 3](https://www.rfc-editor.org/rfc/rfc6750#section-3).
use super::{algorithm::Algorithm, claims_modern::InvalidDetails, origin::ForeignOrigin, proxy::ProxyMark};
use fanfare_hub::topic::matcher::InvalidMatcher;
use http::HeaderValue;
use std::{borrow::Cow, fmt};

/// The reason why somebody may not do what they asked for. No variant holds any part of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthError {
    /// There is no token, and one is needed.
    Missing,
    /// The request does not carry its token as it should.
    Malformed(Malformed),
    /// The browser's user may not have meant this request.
    Origin(ForeignOrigin),
    /// The hub is open to its own machine alone, and a proxy let this request in.
    Proxied(ProxyMark),
    /// The token is bad.
    Invalid(InvalidToken),
    /// The token is good, and does not cover what was asked for.
    Insufficient,
}

/// The faults in how a request carries a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// The `Authorization` header is not `Bearer` and a token.
    Header,
    /// There are several `Authorization` headers.
    RepeatedHeader,
    /// There are several `authorization` query parameters.
    RepeatedQuery,
    /// The `authorization` query parameter is empty.
    EmptyQuery,
    /// The cookie is empty.
    EmptyCookie,
}

/// The fault of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidToken {
    /// It is longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The longest allowed.
        limit: usize,
    },
    /// It is no signed JSON Web Token, or of an unknown algorithm such as `none`.
    Unreadable,
    /// It is signed with an algorithm that none of the keys is for.
    Algorithm {
        /// The one of the token.
        algorithm: Algorithm,
        /// The algorithms of the keys.
        expected: Vec<Algorithm>,
    },
    /// Its header lists extensions that must be understood, and none is.
    CriticalHeader,
    /// A token of its revision cannot come this way: a newer one in the query or in the older one's cookie, or an older
    /// one in the newer one's cookie.
    Carrier,
    /// The hub has no key for such tokens.
    NoKey,
    /// It was not signed with a key that the hub has for such tokens.
    Signature,
    /// It names a key that the hub does not have, and no other one verifies it.
    UnknownKey,
    /// It was not issued by a trusted issuer.
    Issuer,
    /// It is meant for another resource.
    Audience,
    /// A required claim is missing or not of its type.
    Claim(&'static str),
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// Its `authorization_details` break a rule.
    Details(InvalidDetails),
    /// Its `mercure` claim holds more than [`MAX_SELECTORS`](super::MAX_SELECTORS) topic selectors.
    TooManySelectors {
        /// The number of them.
        count: usize,
        /// The number that is allowed.
        limit: usize,
    },
    /// A topic selector of its `mercure` claim is bad.
    Selector(InvalidMatcher),
}

impl AuthError {
    /// The value of the `WWW-Authenticate` header; `None` where another token would not help. The reason is left to the
    /// body: it helps whoever set up the client. A request that only lacks a token gets no error code.
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
            Self::Header => "the Authorization header must be 'Bearer' and a token",
            Self::RepeatedHeader => "there must be one Authorization header",
            Self::RepeatedQuery => "there must be one query parameter 'authorization'",
            Self::EmptyQuery => "the query parameter 'authorization' must hold a token",
            Self::EmptyCookie => "the authorization cookie must hold a token",
        }
    }
}

impl InvalidToken {
    /// The reason without anything that the token says, so that there are few of them and none shows a part of it.
    pub(super) fn logged(&self) -> Cow<'static, str> {
        let reason = match self {
            Self::TooLong { .. } => "it is too long",
            Self::Algorithm { .. } => "it is signed with an algorithm that none of the hub's keys is for",
            Self::Details(_) => "its authorization_details are invalid",
            Self::TooManySelectors { .. } => "it holds too many topic selectors",
            Self::Selector(_) => "one of its topic selectors is invalid",
            // What these say is the same for all tokens.
            Self::Unreadable
            | Self::CriticalHeader
            | Self::Carrier
            | Self::NoKey
            | Self::Signature
            | Self::UnknownKey
            | Self::Issuer
            | Self::Audience
            | Self::Claim(_)
            | Self::Expired
            | Self::NotYetValid => return self.to_string().into(),
        };
        reason.into()
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
            Self::Missing => f.write_str("this needs a token"),
            Self::Malformed(malformed) => malformed.fmt(f),
            Self::Origin(foreign) => foreign.fmt(f),
            Self::Proxied(mark) => write!(
                f,
                "this hub has no keys, so it is open to its own machine only, and a proxy let this request in ({mark}). \
                 Give the hub a key (FANFARE_KEY), which is the better way; or start it with --open-behind-proxy \
                 (open-behind-proxy = true), if whoever reaches the proxy may publish and read everything"
            ),
            Self::Invalid(reason) => reason.fmt(f),
            Self::Insufficient => f.write_str("the token does not cover every topic that was asked for"),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, limit } => write!(f, "the token has {bytes} bytes, {limit} are allowed"),
            Self::Unreadable => f.write_str("the token is no JSON Web Token signed with a known algorithm"),
            Self::Algorithm { algorithm, expected } => {
                let names: Vec<_> = expected.iter().map(|algorithm| algorithm.name()).collect();
                write!(f, "the token is signed with {algorithm}, and must be with {}", names.join(" or "))
            }
            Self::CriticalHeader => f.write_str("the token's header asks for extensions that are unknown here"),
            Self::Carrier => f.write_str("a token of this type cannot be sent in this query parameter or cookie"),
            Self::NoKey => f.write_str("the hub has no key for tokens of this type"),
            Self::Signature => f.write_str("the token's signature does not fit the hub's key"),
            Self::UnknownKey => f.write_str("the token is signed with a key that the hub does not have"),
            Self::Issuer => f.write_str("the token comes from an issuer that is not trusted here"),
            Self::Audience => f.write_str("the token is meant for another audience"),
            Self::Claim(name) => write!(f, "the token's claim '{name}' is missing or malformed"),
            Self::Expired => f.write_str("the token has expired"),
            Self::NotYetValid => f.write_str("the token is not valid yet"),
            Self::Details(details) => write!(f, "the token's authorization_details are invalid: {details}"),
            Self::TooManySelectors { count, limit } => {
                write!(f, "the token holds {count} topic selectors, {limit} are allowed")
            }
            Self::Selector(invalid) => write!(f, "a topic selector of the token is invalid: {invalid}"),
        }
    }
}

impl std::error::Error for AuthError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// B33: no token => bare challenge, no error code; else one of the three codes.
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
