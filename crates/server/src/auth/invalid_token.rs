//! The reasons why a token is refused.
use super::{algorithm::Algorithm, claims_modern::InvalidDetails};
use fanfare_hub::topic::matcher::InvalidMatcher;
use std::{borrow::Cow, fmt};

/// The reason why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidToken {
    /// The token is longer than [`MAX_TOKEN_BYTES`](super::MAX_TOKEN_BYTES).
    TooLong {
        /// The length of the token in bytes.
        bytes: usize,
        /// The greatest length that is allowed, in bytes.
        limit: usize,
    },
    /// The text is not a signed JSON Web Token, or its algorithm is unknown, such as `none`.
    Unreadable,
    /// The token is signed with an algorithm that none of the keys may be used with.
    Algorithm {
        /// The algorithm of the token.
        algorithm: Algorithm,
        /// The algorithms of the keys.
        expected: Vec<Algorithm>,
    },
    /// The token's header lists extensions that must be understood (`crit`). The hub understands no extension.
    CriticalHeader,
    /// The token came in a query or cookie that is not allowed for tokens of its revision of Mercure. Either a token of
    /// the newer revision came in the query or in the older revision's cookie, or a token of the older revision came in
    /// the newer revision's cookie.
    Carrier,
    /// The hub has no key for tokens that come from the token's issuer and are used for the purpose of the request.
    NoKey,
    /// The hub has keys for tokens that come from the token's issuer and are used for the purpose of the request, but
    /// none of the keys that were tried verifies the token's signature.
    Signature,
    /// The token names a key that the hub does not have, and no other key verifies it.
    UnknownKey,
    /// The token names an issuer that the hub does not trust.
    Issuer,
    /// The token is meant for another server, not for this hub.
    Audience,
    /// A required claim is missing or has the wrong type. The string is the name of the claim.
    Claim(&'static str),
    /// The token has expired.
    Expired,
    /// The hub no longer trusts the key that verified the token.
    Revoked,
    /// The token is not valid yet.
    NotYetValid,
    /// The token's `authorization_details` break a rule.
    Details(InvalidDetails),
    /// The token's `mercure` claim holds more than [`MAX_SELECTORS`](super::MAX_SELECTORS) topic selectors.
    TooManySelectors {
        /// The number of topic selectors.
        count: usize,
        /// The number of topic selectors that is allowed.
        limit: usize,
    },
    /// A topic selector of the token's `mercure` claim is not valid.
    Selector(InvalidMatcher),
}

impl InvalidToken {
    /// Returns the reason as it is logged, without any text from the token. So the log has only a few different
    /// reasons, and shows no part of a token.
    pub(super) fn logged(&self) -> Cow<'static, str> {
        let reason = match self {
            Self::TooLong { .. } => "it is too long",
            Self::Algorithm { .. } => "it is signed with an algorithm that no key of the hub allows",
            Self::Details(_) => "its authorization_details are invalid",
            Self::TooManySelectors { .. } => "it contains too many topic selectors",
            Self::Selector(_) => "one of its topic selectors is invalid",
            // The messages of these variants contain no text from the token, so the whole message may be logged.
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
            | Self::Revoked
            | Self::NotYetValid => return self.to_string().into(),
        };
        reason.into()
    }
}

impl fmt::Display for InvalidToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, limit } => write!(f, "the token has {bytes} bytes, {limit} are allowed"),
            Self::Unreadable => f.write_str("the token is not a JSON Web Token that is signed with a known algorithm"),
            Self::Algorithm { algorithm, expected } => {
                let names: Vec<_> = expected.iter().map(|algorithm| algorithm.name()).collect();
                write!(f, "the token is signed with {algorithm}, but must be signed with {}", names.join(" or "))
            }
            Self::CriticalHeader => f.write_str("the token's header requires extensions that the hub does not know"),
            Self::Carrier => f.write_str(
                "a token of this type cannot be sent in this query parameter or cookie; send it in the Authorization \
                 header",
            ),
            Self::NoKey => f.write_str("the hub has no key for tokens of this type"),
            Self::Signature => f.write_str("none of the hub's keys verifies the token's signature"),
            Self::UnknownKey => f.write_str("the token is signed with a key that the hub does not have"),
            Self::Issuer => f.write_str("the token comes from an issuer that this hub does not trust"),
            Self::Audience => f.write_str("the token is meant for another audience"),
            Self::Claim(name) => write!(f, "the token's claim '{name}' is missing or malformed"),
            Self::Expired => f.write_str("the token has expired"),
            Self::Revoked => f.write_str("the hub no longer trusts the key that signed the token"),
            Self::NotYetValid => f.write_str("the token is not valid yet"),
            Self::Details(details) => write!(f, "the token's authorization_details are invalid: {details}"),
            Self::TooManySelectors { count, limit } => {
                write!(f, "the token contains {count} topic selectors, {limit} are allowed")
            }
            Self::Selector(invalid) => write!(f, "a topic selector of the token is invalid: {invalid}"),
        }
    }
}
