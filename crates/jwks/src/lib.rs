//! Fetches JWK sets from URLs. In a JWK set, an authorization server publishes the keys that verify its tokens ([RFC
//! 7517, section 5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
//!
//! A [`JwksSource`] keeps the keys of one URL in memory. It fetches them again before they are too old. It also fetches
//! them at once, but not too often, when a token names an unknown key. So an issuer can replace its keys, or be
//! unreachable for a while, without any effect on users. A [`JwksSource`] implements
//! [`KeySource`](fanfare_server::auth::KeySource). The program `fanfare` uses it, and a hub that is embedded in another
//! program can use it too.
//!
//! A fetch is bounded in size and time. The name in a URL may resolve to any address. So each address is checked
//! ([`address`]), and the connection is made to the address that was checked: the name is not resolved a second time.
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
