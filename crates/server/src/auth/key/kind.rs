//! The kinds of keys, and the algorithms that each kind may be used with.
use super::super::algorithm::Algorithm;
use std::fmt;

/// The greatest number of characters that a message shows of a name from a JWK or a PEM text.
pub(super) const MAX_SHOWN_CHARS: usize = 64;

/// The type of a key; for types that allow several sizes, also the size of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A secret that the issuer and the hub share.
    Secret {
        /// The length of the secret in bytes.
        bytes: usize,
    },
    /// An RSA key.
    Rsa {
        /// The length of the modulus in bits.
        bits: usize,
    },
    /// A key on the curve P-256.
    P256,
    /// A key on the curve P-384.
    P384,
    /// An Ed25519 key.
    Ed25519,
}

/// The rules for all keys that come from one file, URL or setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRules {
    /// The algorithms that tokens may be signed with. If the list is empty, each key may be used with one algorithm:
    /// the one that the key's JWK names. If the key is not a JWK, or its JWK names no algorithm, a secret may be used
    /// with HS256, an RSA key with RS256, and a key on a curve with the only algorithm of this curve.
    pub algorithms: Vec<Algorithm>,
    /// True if secrets may be shorter than the hash of their algorithm, although such secrets can be guessed from any
    /// token.
    pub allow_short_secrets: bool,
}

impl KeyKind {
    /// Returns true if keys of this type can be used with `algorithm`.
    #[must_use]
    pub fn fits(self, algorithm: Algorithm) -> bool {
        use Algorithm::*;
        match self {
            Self::Secret { .. } => matches!(algorithm, Hs256 | Hs384 | Hs512),
            Self::Rsa { .. } => matches!(algorithm, Rs256 | Rs384 | Rs512 | Ps256 | Ps384 | Ps512),
            Self::P256 => algorithm == Es256,
            Self::P384 => algorithm == Es384,
            Self::Ed25519 => algorithm == EdDsa,
        }
    }

    /// Returns the algorithm that is used if neither the rules nor the key name one.
    pub(super) fn default_algorithm(self) -> Algorithm {
        match self {
            Self::Secret { .. } => Algorithm::Hs256,
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
            Self::Ed25519 => Algorithm::EdDsa,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret { bytes } => write!(f, "a secret of {bytes} bytes"),
            Self::Rsa { bits } => write!(f, "an RSA key of {bits} bits"),
            Self::P256 => f.write_str("a P-256 key"),
            Self::P384 => f.write_str("a P-384 key"),
            Self::Ed25519 => f.write_str("an Ed25519 key"),
        }
    }
}
