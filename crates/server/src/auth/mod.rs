//! Authorization: from a request's token to a [`Grant`](fanfare_hub::grant::Grant).
//!
//! Both revisions of [Mercure's authorization](https://mercure.rocks/spec#authorization) are implemented. The type of a
//! token decides its revision. For a token of type `at+jwt`, all rules of the newer revision apply, wherever the token
//! is used. So the weaker rules of the older revision never apply to it. The files follow the path of a token:
//! `carrier` finds it, `token` leads it from state to state (read, identified, verified), and the claims of either
//! revision become the grant. `trusted` decides whose keys verify which tokens, `signer` ends the streams of a
//! key that is not trusted any more, and `key` reads keys. `origin` checks
//! that the browser's user meant the request, `proxy` finds requests that came through a proxy, which an open hub does
//! not trust, and `refusals` logs the tokens that were refused.
mod algorithm;
mod authenticator;
mod carrier;
mod claims;
mod claims_legacy;
mod claims_modern;
mod credentials;
mod error;
pub mod explain;
mod invalid_token;
mod key;
pub mod mint;
mod object;
mod origin;
mod payload;
mod proxy;
mod refusals;
mod settings;
pub(crate) mod signer;
mod token;
mod trusted;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use authenticator::Authenticator;
pub use claims_legacy::MAX_SELECTORS;
pub use claims_modern::{DETAIL_TYPE, InvalidDetails, MAX_DETAIL_TOPICS, MAX_DETAILS};
pub use credentials::{Credentials, Purpose, Revision};
pub use error::{AuthError, Malformed};
pub use invalid_token::InvalidToken;
pub use key::{
    InvalidKey, Key, KeyKind, KeyRules, MAX_RSA_BITS, MAX_SET_BYTES, MAX_SET_KEYS, MIN_RSA_BITS, SigningKey,
    UnusableKey,
};
pub use origin::ForeignOrigin;
pub use payload::Payloads;
pub use proxy::ProxyMark;
pub use settings::{AuthSettings, LEGACY_COOKIE, MODERN_COOKIE};
pub use signer::Signer;
pub use token::{LEEWAY_MS, MAX_TOKEN_BYTES};
pub use trusted::{KeySet, KeySource, KeyStore, MAX_TRIED_KEYS, TrustedIssuer, TrustedKeys};

#[cfg(test)]
mod tests;
