//! The keys that tokens are signed with, for [`super::super::mint`]. Each `SigningKey` surely works: before it was
//! returned, it signed a test message, and its public key verified the signature.
use super::{super::algorithm::Algorithm, error::InvalidKey, jwk, kind::KeyRules, pem, verifying::Key};
use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
        Ed25519KeyPair, KeyPair as _,
    },
};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::{Map, Value};
use std::fmt;

/// A secret or a private key, with the algorithm that it signs with. It never appears in output or in the log.
#[derive(Clone)]
pub struct SigningKey {
    encoding: EncodingKey,
    verification: Key,
}

impl SigningKey {
    /// Creates a key from a secret for HS256.
    ///
    /// # Errors
    /// [`InvalidKey::ShortSecret`] if the secret has fewer than 32 bytes.
    pub fn hs256(secret: &[u8]) -> Result<Self, InvalidKey> {
        let rules = KeyRules { algorithms: vec![Algorithm::Hs256], ..KeyRules::default() };
        Self::secret(secret, &rules)
    }

    /// Reads the only key in `text` that can sign: a private JWK or a set with one, a private key in PEM (PKCS#8,
    /// PKCS#1 or SEC1, not encrypted), or a secret. The key signs with the first algorithm of `rules`. If `rules` name
    /// none, it signs with the algorithm that its JWK names, or with the default algorithm of its type.
    ///
    /// # Errors
    /// [`InvalidKey`] if no key or several keys can sign, or if the algorithm does not fit the key.
    pub fn read(text: &str, rules: &KeyRules) -> Result<Self, InvalidKey> {
        let trimmed = text.trim();
        if trimmed.starts_with('{') {
            return Self::from_jwk_text(trimmed, rules);
        }
        if pem::is_pem(trimmed) {
            let documents = pem::documents(trimmed)?;
            // `openssl ecparam` writes a document that names the curve before the document with the key.
            let mut keys = documents.iter().filter(|document| document.label != "EC PARAMETERS");
            let key = keys.next().ok_or(InvalidKey::Pem)?;
            return if keys.next().is_some() { Err(InvalidKey::Several) } else { Self::from_pem(key, rules) };
        }
        Self::secret(text.trim_end_matches(['\r', '\n']).as_bytes(), rules)
    }

    fn from_jwk_text(text: &str, rules: &KeyRules) -> Result<Self, InvalidKey> {
        let keys = jwk::read_all(text)?;
        let mut signers = keys.iter().map(|key| Self::from_jwk(key, rules));
        if keys.len() == 1 {
            return signers.next().expect("there is one key");
        }
        let mut able = signers.flatten();
        let first = able.next().ok_or(InvalidKey::NotPrivate)?;
        if able.next().is_some() { Err(InvalidKey::Several) } else { Ok(first) }
    }

    fn secret(secret: &[u8], rules: &KeyRules) -> Result<Self, InvalidKey> {
        Self::new(EncodingKey::from_secret(secret), Key::secret(secret, rules)?)
    }

    fn from_pem(document: &pem::Document, rules: &KeyRules) -> Result<Self, InvalidKey> {
        let der = &document.der;
        match document.label.as_str() {
            "PRIVATE KEY" => Self::from_pkcs8(der, rules),
            "RSA PRIVATE KEY" => {
                let pair = rsa::KeyPair::from_der(der).map_err(|_| InvalidKey::Pem)?;
                Self::from_rsa(&pair, rules)
            }
            "EC PRIVATE KEY" => {
                let pair = [&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P384_SHA384_FIXED_SIGNING]
                    .into_iter()
                    .find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, der).ok());
                Self::from_ecdsa(&pair.ok_or(InvalidKey::UnknownType)?, rules)
            }
            "ENCRYPTED PRIVATE KEY" => Err(InvalidKey::Encrypted),
            "PUBLIC KEY" | "RSA PUBLIC KEY" | "CERTIFICATE" => Err(InvalidKey::NotPrivate),
            label => Err(InvalidKey::PemLabel(label.to_owned())),
        }
    }

    fn from_pkcs8(der: &[u8], rules: &KeyRules) -> Result<Self, InvalidKey> {
        if let Ok(pair) = rsa::KeyPair::from_pkcs8(der) {
            return Self::from_rsa(&pair, rules);
        }
        for curve in [&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P384_SHA384_FIXED_SIGNING] {
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(curve, der) {
                return Self::from_ecdsa(&pair, rules);
            }
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| InvalidKey::UnknownType)?;
        Self::from_ed25519(&pair, rules)
    }

    fn from_jwk(key: &jwk::Jwk, rules: &KeyRules) -> Result<Self, InvalidKey> {
        key.check_purpose("sign")?;
        let algorithms =
            if rules.algorithms.is_empty() { Vec::from_iter(key.algorithm()) } else { rules.algorithms.clone() };
        let rules = &KeyRules { algorithms, ..*rules };
        let mut signer = match key.key_type()? {
            jwk::JwkType::Secret => Self::secret(&key.secret()?, rules)?,
            jwk::JwkType::Rsa => {
                let [n, e, d, p, q, d_p, d_q, q_inv] = key.rsa_components()?;
                let public_key = rsa::PublicKeyComponents { n, e };
                let components = rsa::KeyPairComponents { public_key, d, p, q, dP: d_p, dQ: d_q, qInv: q_inv };
                let pair = rsa::KeyPair::from_components(&components).map_err(|_| InvalidKey::JwkMember("d"))?;
                Self::from_rsa(&pair, rules)?
            }
            jwk::JwkType::P256 => Self::from_ec_jwk(key, &ECDSA_P256_SHA256_FIXED_SIGNING, rules)?,
            jwk::JwkType::P384 => Self::from_ec_jwk(key, &ECDSA_P384_SHA384_FIXED_SIGNING, rules)?,
            jwk::JwkType::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(&key.private()?, &key.public_x()?);
                Self::from_ed25519(&pair.map_err(|_| InvalidKey::JwkMember("d"))?, rules)?
            }
        };
        signer.verification.id = key.kid.clone();
        Ok(signer)
    }

    fn from_ec_jwk(
        key: &jwk::Jwk,
        curve: &'static EcdsaSigningAlgorithm,
        rules: &KeyRules,
    ) -> Result<Self, InvalidKey> {
        let pair = EcdsaKeyPair::from_private_key_and_public_key(curve, &key.private()?, &key.point()?);
        Self::from_ecdsa(&pair.map_err(|_| InvalidKey::JwkMember("d"))?, rules)
    }

    fn from_rsa(pair: &rsa::KeyPair, rules: &KeyRules) -> Result<Self, InvalidKey> {
        let verification = Key::from_spki(pair.public_key().as_ref(), rules)?;
        let pkcs8 = pair.as_der().map_err(|_| InvalidKey::Pem)?;
        let pkcs8: &Pkcs8V1Der<'_> = &pkcs8;
        // The library needs the PKCS#1 key that is inside the PKCS#8 document.
        let pkcs1 = inner_key(pkcs8.as_ref()).ok_or(InvalidKey::Pem)?;
        Self::new(EncodingKey::from_rsa_der(pkcs1), verification)
    }

    fn from_ecdsa(pair: &EcdsaKeyPair, rules: &KeyRules) -> Result<Self, InvalidKey> {
        let verification = Key::from_spki(pair.public_key().as_ref(), rules)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| InvalidKey::Pem)?;
        Self::new(EncodingKey::from_ec_der(pkcs8.as_ref()), verification)
    }

    fn from_ed25519(pair: &Ed25519KeyPair, rules: &KeyRules) -> Result<Self, InvalidKey> {
        let verification = Key::from_spki(pair.public_key().as_ref(), rules)?;
        let pkcs8 = pair.to_pkcs8().map_err(|_| InvalidKey::Pem)?;
        Self::new(EncodingKey::from_ed_der(pkcs8.as_ref()), verification)
    }

    /// Makes a signing key from a private key or secret and from the key that verifies its signatures. Tests first that
    /// the two belong together.
    fn new(encoding: EncodingKey, verification: Key) -> Result<Self, InvalidKey> {
        let algorithm = verification.algorithms[0].library();
        let message = b"a message";
        let signature = jsonwebtoken::crypto::sign(message, &encoding, algorithm).map_err(|_| InvalidKey::Pem)?;
        let proved = jsonwebtoken::crypto::verify(&signature, message, &verification.verifying, algorithm);
        if proved.is_ok_and(|holds| holds) { Ok(Self { encoding, verification }) } else { Err(InvalidKey::Pem) }
    }

    /// Returns the algorithm that the key signs with.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.verification.algorithms[0]
    }

    /// Gives the key a name, which becomes the `kid` of its tokens.
    #[must_use]
    pub fn named(mut self, id: &str) -> Self {
        self.verification.id = Some(id.to_owned());
        self
    }

    /// Returns the key that verifies the tokens that this key signs.
    #[must_use]
    pub fn verification(&self) -> Key {
        let mut key = self.verification.clone();
        key.algorithms.truncate(1);
        key
    }

    /// Returns a signed token of type `typ` with these claims.
    pub(in crate::auth) fn sign(&self, typ: &str, claims: &Map<String, Value>) -> String {
        let kid = self.verification.id.clone();
        let header = Header { typ: Some(typ.to_owned()), kid, ..Header::new(self.algorithm().library()) };
        jsonwebtoken::encode(&header, claims, &self.encoding).expect("the key has signed before, and claims are JSON")
    }
}

/// Returns the private key inside a PKCS#8 document: the octets after version and algorithm ([RFC 5958, section
/// 2](https://www.rfc-editor.org/rfc/rfc5958#section-2)).
fn inner_key(pkcs8: &[u8]) -> Option<&[u8]> {
    let (_, sequence, _) = element(pkcs8)?;
    let (_, _, after_version) = element(sequence)?;
    let (_, _, after_algorithm) = element(after_version)?;
    match element(after_algorithm)? {
        (0x04, octets, _) => Some(octets),
        _ => None,
    }
}

/// Returns the tag and the content of the first DER element, and the bytes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        (bytes.iter().try_fold(0_usize, |length, byte| length.checked_mul(256)?.checked_add(usize::from(*byte)))?, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verification)
    }
}
