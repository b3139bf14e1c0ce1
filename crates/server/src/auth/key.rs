//! The secrets that tokens are signed and verified with.
use jsonwebtoken::{DecodingKey, EncodingKey};
use std::fmt;

/// The shortest secret for HS256, in bytes: as long as the hash
/// ([RFC 7518, section 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)). A shorter one can be guessed offline from
/// any token.
pub const MIN_KEY_BYTES: usize = 32;

/// A secret for HS256. It is never printed, and wiped from memory when dropped.
#[derive(Clone)]
pub struct Key {
    verifying: DecodingKey,
    signing: EncodingKey,
}

/// A secret has fewer than [`MIN_KEY_BYTES`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyTooShort {
    /// How many bytes it has.
    pub bytes: usize,
    /// How many it needs.
    pub minimum: usize,
}

impl Key {
    /// Takes `secret` as the key for HS256.
    ///
    /// # Errors
    /// [`KeyTooShort`] below [`MIN_KEY_BYTES`].
    pub fn hs256(secret: &[u8]) -> Result<Self, KeyTooShort> {
        if secret.len() < MIN_KEY_BYTES {
            return Err(KeyTooShort { bytes: secret.len(), minimum: MIN_KEY_BYTES });
        }
        Ok(Self { verifying: DecodingKey::from_secret(secret), signing: EncodingKey::from_secret(secret) })
    }

    pub(super) fn verifying(&self) -> &DecodingKey {
        &self.verifying
    }

    pub(super) fn signing(&self) -> &EncodingKey {
        &self.signing
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(HS256)")
    }
}

impl fmt::Display for KeyTooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, minimum } = self;
        write!(f, "the key has {bytes} bytes, HS256 needs at least {minimum} (`openssl rand -base64 32` makes one)")
    }
}

impl std::error::Error for KeyTooShort {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_at_least_as_long_as_the_hash() {
        let (bytes, minimum) = (MIN_KEY_BYTES - 1, MIN_KEY_BYTES);
        assert_eq!(Key::hs256(&[b'k'; MIN_KEY_BYTES - 1]).unwrap_err(), KeyTooShort { bytes, minimum });
        assert!(Key::hs256(&[b'k'; MIN_KEY_BYTES]).is_ok());
        assert!(Key::hs256(b"!ChangeThisMercureHubJWTSecretKey!").is_ok(), "the key of every Mercure demonstration");
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = Key::hs256(b"0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(format!("{key:?} {:?} {:?}", key.signing, key.verifying).matches("0123").count(), 0);
    }
}
