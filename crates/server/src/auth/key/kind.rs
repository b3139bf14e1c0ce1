//! The kinds of keys, and what each may be used for.
use super::super::algorithm::Algorithm;
use std::fmt;

/// The most characters of a name in a JWK or a PEM text that messages show.
pub(super) const MAX_SHOWN_CHARS: usize = 64;

/// The type of a key, and its size where there is a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A secret that both sides have.
    Secret {
        /// Its length.
        bytes: usize,
    },
    /// An RSA key.
    Rsa {
        /// The length of its modulus.
        bits: usize,
    },
    /// A key on the curve P-256.
    P256,
    /// A key on the curve P-384.
    P384,
    /// An Ed25519 key.
    Ed25519,
}

/// The rules for keys from one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyRules {
    /// The algorithms that tokens may be signed with. Empty leaves it to the key: what its JWK says, else HS256 for a
    /// secret, RS256 for an RSA key, and the one algorithm that the curve of any other has.
    pub algorithms: Vec<Algorithm>,
    /// True if secrets may be shorter than the hash of their algorithm, and so be guessed from any token.
    pub allow_short_secrets: bool,
}

impl KeyKind {
    /// True if keys of this type can be used with `algorithm`.
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

    /// The algorithm that is meant if nobody says which.
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
