//! A key that verifies signatures.
use super::{
    super::algorithm::Algorithm,
    error::InvalidKey,
    kind::{KeyKind, KeyRules, MAX_SHOWN_CHARS},
    sample,
};
use aws_lc_rs::{
    digest::{Context, SHA256},
    rand, rsa,
    signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey},
};
use fanfare_mask::shortened;
use jsonwebtoken::DecodingKey;
use std::{fmt, sync::LazyLock};

/// The shortest RSA key that is allowed, in bits ([RFC 7518, section
/// 3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)).
pub const MIN_RSA_BITS: usize = 2_048;
/// The longest RSA key that is allowed, in bits: the longer a key is, the longer verifying takes.
pub const MAX_RSA_BITS: usize = 8_192;

/// A key that verifies signatures. It never appears in output or in the log, and is wiped from memory when it is
/// dropped.
#[derive(Clone)]
pub struct Key {
    pub(super) kind: KeyKind,
    /// The algorithms that the key may be used with. There is at least one, and each fits the type of the key.
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) id: Option<String>,
    pub(super) verifying: DecodingKey,
    is_sample: bool,
    fingerprint: Fingerprint,
}

/// A hash of a key, by which two keys are compared. It is made with a number that is different in each process, so that
/// it does not help to guess the key.
type Fingerprint = [u8; 32];

fn fingerprint(key: &[u8]) -> Fingerprint {
    static SALT: LazyLock<Fingerprint> = LazyLock::new(|| {
        let mut salt = Fingerprint::default();
        rand::fill(&mut salt).expect("the system has random numbers");
        salt
    });
    let mut hash = Context::new(&SHA256);
    hash.update(&*SALT);
    hash.update(key);
    hash.finish().as_ref().try_into().expect("a SHA-256 hash has 32 bytes")
}

impl Key {
    /// Creates a key from a secret for HS256.
    ///
    /// # Errors
    /// [`InvalidKey::ShortSecret`] if the secret has fewer than 32 bytes.
    pub fn hs256(secret: &[u8]) -> Result<Self, InvalidKey> {
        Self::secret(secret, &KeyRules { algorithms: vec![Algorithm::Hs256], ..KeyRules::default() })
    }

    /// Creates a key from the bytes of a secret.
    ///
    /// # Errors
    /// [`InvalidKey`] if the rules do not allow the secret.
    pub fn secret(secret: &[u8], rules: &KeyRules) -> Result<Self, InvalidKey> {
        if secret.is_empty() {
            return Err(InvalidKey::Empty);
        }
        let key = Self::new(KeyKind::Secret { bytes: secret.len() }, DecodingKey::from_secret(secret), rules)?;
        key.check_length(rules)?;
        Ok(Self { is_sample: sample::is_secret(secret), fingerprint: fingerprint(secret), ..key })
    }

    /// Reads a public key in DER: an X.509 `SubjectPublicKeyInfo`, or for RSA also the PKCS#1 form.
    pub(super) fn from_spki(der: &[u8], rules: &KeyRules) -> Result<Self, InvalidKey> {
        if let Ok(key) = rsa::PublicKey::from_der(der) {
            let modulus = key.modulus();
            let bits = bit_length(modulus.big_endian_without_leading_zero());
            check_rsa(bits)?;
            let public = modulus.big_endian_without_leading_zero();
            return Ok(
                Self::new(KeyKind::Rsa { bits }, DecodingKey::from_rsa_der(key.as_ref()), rules)?.of_public(public)
            );
        }
        // The document ends with the bytes of the key itself.
        let last = |bytes: usize| der.len().checked_sub(bytes).map_or(der, |start| &der[start..]);
        if ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, der).is_ok() {
            return Ok(Self::new(KeyKind::P256, DecodingKey::from_ec_der(der), rules)?.of_public(last(65)));
        }
        if ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, der).is_ok() {
            return Ok(Self::new(KeyKind::P384, DecodingKey::from_ec_der(der), rules)?.of_public(last(97)));
        }
        if ParsedPublicKey::new(&ED25519, der).is_ok() {
            return Ok(Self::new(KeyKind::Ed25519, DecodingKey::from_ed_der(der), rules)?.of_public(last(32)));
        }
        Err(InvalidKey::UnknownType)
    }

    /// Notes the public key, and whether it is a published sample. `public` holds the public key: the modulus of RSA, the point of a
    /// curve, or the 32 bytes of Ed25519.
    pub(super) fn of_public(self, public: &[u8]) -> Self {
        Self { is_sample: sample::is_published(public), fingerprint: fingerprint(public), ..self }
    }

    pub(super) fn new(kind: KeyKind, verifying: DecodingKey, rules: &KeyRules) -> Result<Self, InvalidKey> {
        let asked = if rules.algorithms.is_empty() { vec![kind.default_algorithm()] } else { rules.algorithms.clone() };
        let algorithms: Vec<_> = asked.iter().copied().filter(|algorithm| kind.fits(*algorithm)).collect();
        if algorithms.is_empty() {
            return Err(InvalidKey::Algorithm { kind, algorithms: asked });
        }
        Ok(Self { kind, algorithms, id: None, verifying, is_sample: false, fingerprint: Fingerprint::default() })
    }

    fn check_length(&self, rules: &KeyRules) -> Result<(), InvalidKey> {
        match self.short_for() {
            Some((algorithm, minimum)) if !rules.allow_short_secrets => {
                let KeyKind::Secret { bytes } = self.kind else { return Ok(()) };
                Err(InvalidKey::ShortSecret { algorithm, bytes, minimum })
            }
            _ => Ok(()),
        }
    }

    /// Returns an algorithm of this secret whose hash is longer than the secret, and the number of bytes that a secret
    /// for this algorithm needs. `None` if the secret is long enough, or if the key is not a secret.
    #[must_use]
    pub fn short_for(&self) -> Option<(Algorithm, usize)> {
        let KeyKind::Secret { bytes } = self.kind else { return None };
        let needs = self.algorithms.iter().filter_map(|algorithm| Some((*algorithm, algorithm.min_secret_bytes()?)));
        needs.into_iter().find(|(_, minimum)| bytes < *minimum)
    }

    /// Returns true if `other` is the same key. The names and the algorithms of the keys are not compared.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }

    /// Returns true if anybody can sign tokens for this key, because it appears in public documentation or tests.
    #[must_use]
    pub fn is_sample(&self) -> bool {
        self.is_sample
    }

    /// Returns the type of the key.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Returns the algorithms that the key may be used with, at least one.
    #[must_use]
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// Returns the name of the key, which a token may give as its `kid`; `None` if the key has no name.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(in crate::auth) fn verifying(&self) -> &DecodingKey {
        &self.verifying
    }
}

pub(super) fn check_rsa(bits: usize) -> Result<(), InvalidKey> {
    if (MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        Ok(())
    } else {
        Err(InvalidKey::RsaLength { bits, minimum: MIN_RSA_BITS, maximum: MAX_RSA_BITS })
    }
}

/// Returns the number of bits of a number that has no leading zero bytes.
pub(super) fn bit_length(big_endian: &[u8]) -> usize {
    let zeros = big_endian.first().map_or(0, |byte| byte.leading_zeros() as usize);
    big_endian.len() * 8 - zeros
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

/// Shows the type and the size of the key, without any part of the key itself.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        let algorithms: Vec<_> = self.algorithms.iter().map(|algorithm| algorithm.name()).collect();
        write!(f, " for {}", algorithms.join(", "))?;
        match &self.id {
            Some(id) => write!(f, ", kid {:?}", shortened(id, MAX_SHOWN_CHARS)),
            None => Ok(()),
        }
    }
}
