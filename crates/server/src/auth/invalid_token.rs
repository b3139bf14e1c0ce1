//! The faults of tokens.
use super::{algorithm::Algorithm, claims_modern::InvalidDetails};
use fanfare_hub::topic::matcher::InvalidMatcher;
use std::{borrow::Cow, fmt};

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
