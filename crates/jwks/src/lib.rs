//! JWK sets by URL: where authorization servers publish the keys that they sign with
//! ([RFC 7517, section 5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
//!
//! A [`JwksSource`] keeps the keys of one URL at hand: it fetches them again before they are too old, and at once, but
//! not too often, when a token names a key that is not there. So an issuer can rotate its keys, or be away for a while,
//! and nobody notices. It is a [`KeySource`](fanfare_server::auth::KeySource) for an embedded hub as for the program.
//!
//! What is fetched is bounded in size and time. A name in a URL may resolve to anything, so the address itself is
//! checked ([`address`]) and then connected to: there is no moment in between at which it could become another one.
//! Redirects are not followed.
#![deny(unsafe_code)]

pub mod address;
mod fetch;
mod freshness;
mod source;
mod url;

pub use address::Addresses;
pub use fetch::{Client, FETCH_TIMEOUT, FetchError};
pub use freshness::{DEFAULT_FRESHNESS, MAX_FRESHNESS, MIN_FRESHNESS};
pub use source::{JwksSource, Timing};
pub use url::{InvalidJwksUrl, JwksUrl};
