//! The keys that tokens are verified with: secrets, and public keys from PEM ([`pem`]) or JWK ([`jwk`]) documents. A
//! key knows its type and the algorithms that it may be used with, which a token cannot change. [`signing`] has the
//! keys that sign tokens.
pub(super) mod error;
mod jwk;
mod kind;
mod pem;
mod sample;
mod signing;
mod verifying;

pub use error::InvalidKey;
pub use jwk::{MAX_SET_BYTES, MAX_SET_KEYS, UnusableKey};
pub use kind::{KeyKind, KeyRules};
pub use signing::SigningKey;
pub use verifying::{Key, MAX_RSA_BITS, MIN_RSA_BITS};

impl Key {
    /// Reads the keys in `text`. A JSON object is read as a JWK or a JWK set, and a text with a PEM header as PEM
    /// documents. Any other text is a secret, without its line end.
    ///
    /// # Errors
    /// [`InvalidKey`] if there is no key, if a key of a PEM text or a single JWK cannot be used, or if no key of a set
    /// can be used.
    pub fn read(text: &str, rules: &KeyRules) -> Result<Vec<Self>, InvalidKey> {
        let trimmed = text.trim();
        if trimmed.starts_with('{') {
            return jwk::read(trimmed, rules);
        }
        if pem::is_pem(trimmed) {
            return pem::read(trimmed, rules);
        }
        if ["ssh-", "ecdsa-sha2-"].iter().any(|prefix| trimmed.starts_with(prefix)) {
            return Err(InvalidKey::Ssh);
        }
        Ok(vec![Self::secret(text.trim_end_matches(['\r', '\n']).as_bytes(), rules)?])
    }

    /// Reads the public keys of a JWK set that anybody can fetch, and the reasons why its other keys cannot be used.
    ///
    /// # Errors
    /// [`InvalidKey`] if the text is not a JWK set, is too large, or holds no key that can be used.
    pub fn read_published_set(text: &[u8], rules: &KeyRules) -> Result<(Vec<Self>, Vec<UnusableKey>), InvalidKey> {
        jwk::read_published(text, rules)
    }
}

#[cfg(test)]
mod tests;
