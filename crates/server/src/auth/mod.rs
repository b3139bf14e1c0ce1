//! Authorization: from a request's token to a [`Grant`](fanfare_hub::grant::Grant).
//!
//! [Mercure, authorization](https://mercure.rocks/spec#authorization), both revisions. The token itself says which one
//! it belongs to: a token of type `at+jwt` is held to every rule of the newer revision, wherever it is used, so that
//! the older one's leniency never reaches it. The files follow the way of a token: `carrier` finds it, `token` leads it
//! from state to state (read, identified, verified), the claims of either revision become the grant. `trusted` says
//! whose keys verify which tokens, and `key` what a key is. `origin` asks whether the browser's user meant the request at all, `proxy` whether it came through a proxy,
//! which an open hub does not trust, and `refusals` is what is logged of tokens that were refused.
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
mod origin;
mod payload;
mod proxy;
mod refusals;
mod settings;
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
pub use token::{LEEWAY_MS, MAX_TOKEN_BYTES};
pub use trusted::{KeySet, KeySource, KeyStore, MAX_TRIED_KEYS, TrustedIssuer, TrustedKeys};

#[cfg(test)]
mod tests;
