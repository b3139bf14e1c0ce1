//! Keys as JSON: [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517), with the fields of
//! [RFC 7518, section 6](https://www.rfc-editor.org/rfc/rfc7518#section-6) and
//! [RFC 8037](https://www.rfc-editor.org/rfc/rfc8037).
//!
//! If a key of a JWK set cannot be used, this key is ignored, as the RFC requires: sets also hold keys for encryption,
//! and may hold keys of future types. A set that was fetched from a server must hold only public keys.
use super::{
    super::{algorithm::Algorithm, object::Object},
    error::InvalidKey,
    kind::{KeyKind, KeyRules},
    verifying::{Key, bit_length, check_rsa},
};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::Value;

/// The largest JWK set, in bytes.
pub const MAX_SET_BYTES: usize = 256 * 1024;
/// The greatest number of keys of a JWK set or of a PEM text.
pub const MAX_SET_KEYS: usize = 100;

/// A key of a JWK set that is ignored, because it cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableKey {
    /// The number of the key in the set, counted from 1.
    pub number: usize,
    /// The `kid` of the key, if it has one.
    pub id: Option<String>,
    /// The reason why the key cannot be used.
    pub reason: InvalidKey,
}

/// The fields of a JWK that the hub uses. All binary values are base64url. Only private RSA keys have the fields `p`
/// to `qi`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Jwk {
    kty: String,
    crv: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    pub(super) kid: Option<String>,
    k: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
}

/// The type of a JWK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JwkType {
    Secret,
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// A JSON document: a JWK set, or a single JWK.
enum Document {
    Set(Vec<Value>),
    One(Value),
}

fn parse(text: &[u8]) -> Result<Document, InvalidKey> {
    let bytes = text.len();
    if bytes > MAX_SET_BYTES {
        return Err(InvalidKey::SetTooLarge { bytes, limit: MAX_SET_BYTES });
    }
    let mut document: Value = serde_json::from_slice(text).map_err(|_| InvalidKey::NotJwk)?;
    match document.get_mut("keys").map(Value::take) {
        Some(Value::Array(keys)) if keys.len() > MAX_SET_KEYS => {
            Err(InvalidKey::TooManyKeys { count: keys.len(), limit: MAX_SET_KEYS })
        }
        Some(Value::Array(keys)) => Ok(Document::Set(keys)),
        None if document.get("kty").is_some() => Ok(Document::One(document)),
        _ => Err(InvalidKey::NotJwk),
    }
}

/// Reads a JWK or a JWK set from the configuration. The JWKs may be secrets, since only the hub reads its
/// configuration.
pub(super) fn read(text: &str, rules: &KeyRules) -> Result<Vec<Key>, InvalidKey> {
    match parse(text.as_bytes())? {
        Document::One(key) => Ok(vec![Jwk::parse(key)?.verifying(rules)?]),
        Document::Set(keys) => usable(keys, |jwk| jwk.verifying(rules)).map(|(keys, _)| keys),
    }
}

/// Reads a JWK set that anybody can fetch. Keys that are secret or private are not used.
pub(super) fn read_published(text: &[u8], rules: &KeyRules) -> Result<(Vec<Key>, Vec<UnusableKey>), InvalidKey> {
    let Document::Set(keys) = parse(text)? else { return Err(InvalidKey::NotJwk) };
    usable(
        keys,
        |jwk| {
            if jwk.kty == "oct" || jwk.d.is_some() { Err(InvalidKey::Published) } else { jwk.verifying(rules) }
        },
    )
}

/// Reads all JWKs of a JWK or a JWK set, to sign with them.
pub(super) fn read_all(text: &str) -> Result<Vec<Jwk>, InvalidKey> {
    match parse(text.as_bytes())? {
        Document::One(key) => Ok(vec![Jwk::parse(key)?]),
        Document::Set(keys) => usable(keys, Ok).map(|(keys, _)| keys),
    }
}

fn usable<T>(
    keys: Vec<Value>,
    take: impl Fn(Jwk) -> Result<T, InvalidKey>,
) -> Result<(Vec<T>, Vec<UnusableKey>), InvalidKey> {
    let (mut taken, mut unusable) = (Vec::new(), Vec::new());
    for (index, key) in keys.into_iter().enumerate() {
        let id = key.get("kid").and_then(Value::as_str).map(str::to_owned);
        match Jwk::parse(key).and_then(&take) {
            Ok(key) => taken.push(key),
            Err(reason) => unusable.push(UnusableKey { number: index + 1, id, reason }),
        }
    }
    if taken.is_empty() {
        return Err(InvalidKey::NoneUsable(unusable.first().map(|key| Box::new(key.reason.clone()))));
    }
    Ok((taken, unusable))
}

impl Jwk {
    fn parse(value: Value) -> Result<Self, InvalidKey> {
        serde_json::from_value(value).map(|Object(jwk)| jwk).map_err(|_| InvalidKey::NotJwk)
    }

    pub(super) fn key_type(&self) -> Result<JwkType, InvalidKey> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("oct", _) => Ok(JwkType::Secret),
            ("RSA", _) => Ok(JwkType::Rsa),
            ("EC", Some("P-256")) => Ok(JwkType::P256),
            ("EC", Some("P-384")) => Ok(JwkType::P384),
            ("OKP", Some("Ed25519")) => Ok(JwkType::Ed25519),
            (kty, None) => Err(InvalidKey::JwkType(kty.to_owned())),
            (kty, Some(curve)) => Err(InvalidKey::JwkType(format!("{kty} {curve}"))),
        }
    }

    /// Makes a key that verifies signatures. Fails if the JWK is a private key, or is not meant for verifying.
    fn verifying(self, rules: &KeyRules) -> Result<Key, InvalidKey> {
        self.check_purpose("verify")?;
        if self.d.is_some() {
            return Err(InvalidKey::Private);
        }
        self.public_half(rules)
    }

    /// Makes a key that verifies signatures. The JWK may be a private key: only its public half is used.
    pub(super) fn public_half(&self, rules: &KeyRules) -> Result<Key, InvalidKey> {
        let rules = KeyRules { algorithms: self.algorithms(rules)?, ..*rules };
        let mut key = match self.key_type()? {
            JwkType::Secret => Key::secret(&self.secret()?, &rules)?,
            JwkType::Rsa => self.rsa(&rules)?,
            JwkType::P256 | JwkType::P384 => self.elliptic(&rules)?,
            JwkType::Ed25519 => {
                let x = binary(&self.x, "x")?;
                if x.len() != 32 || ParsedPublicKey::new(&ED25519, &x).is_err() {
                    return Err(InvalidKey::JwkMember("x"));
                }
                Key::new(KeyKind::Ed25519, DecodingKey::from_ed_der(&x), &rules)?.of_public(&x)
            }
        };
        key.id = self.kid.clone();
        Ok(key)
    }

    /// Checks that the key is meant for `operation` ([RFC 7517, sections 4.2 and 4.3]).
    ///
    /// [RFC 7517, sections 4.2 and 4.3]: https://www.rfc-editor.org/rfc/rfc7517#section-4.2
    pub(super) fn check_purpose(&self, operation: &str) -> Result<(), InvalidKey> {
        if self.r#use.as_deref().is_some_and(|purpose| purpose != "sig") {
            return Err(InvalidKey::JwkPurpose("use"));
        }
        match &self.key_ops {
            Some(operations) if !operations.iter().any(|known| known == operation) => {
                Err(InvalidKey::JwkPurpose("key_ops"))
            }
            _ => Ok(()),
        }
    }

    /// Returns the algorithms that this key may be used with. If the JWK names an algorithm, this algorithm must be
    /// allowed by the rules, and is the only one. Otherwise all algorithms of the rules are returned.
    fn algorithms(&self, rules: &KeyRules) -> Result<Vec<Algorithm>, InvalidKey> {
        let Some(name) = &self.alg else { return Ok(rules.algorithms.clone()) };
        let algorithm = name.parse().map_err(|_| InvalidKey::JwkPurpose("alg"))?;
        if !rules.algorithms.is_empty() && !rules.algorithms.contains(&algorithm) {
            return Err(InvalidKey::JwkAlgorithm(algorithm));
        }
        Ok(vec![algorithm])
    }

    /// Returns the algorithm that the JWK names, if the hub knows it.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        self.alg.as_deref()?.parse().ok()
    }

    pub(super) fn secret(&self) -> Result<Vec<u8>, InvalidKey> {
        binary(&self.k, "k")
    }

    fn rsa(&self, rules: &KeyRules) -> Result<Key, InvalidKey> {
        let (n, e) = (number(&self.n, "n")?, number(&self.e, "e")?);
        let bits = bit_length(&n);
        check_rsa(bits)?;
        Ok(Key::new(KeyKind::Rsa { bits }, DecodingKey::from_rsa_raw_components(&n, &e), rules)?.of_public(&n))
    }

    /// Makes a key from the point of an elliptic curve. The point must lie on the curve.
    fn elliptic(&self, rules: &KeyRules) -> Result<Key, InvalidKey> {
        let (kind, algorithm) = match self.key_type()? {
            JwkType::P256 => (KeyKind::P256, &ECDSA_P256_SHA256_FIXED),
            _ => (KeyKind::P384, &ECDSA_P384_SHA384_FIXED),
        };
        let point = self.point()?;
        ParsedPublicKey::new(algorithm, &point).map_err(|_| InvalidKey::JwkMember("x"))?;
        Ok(Key::new(kind, DecodingKey::from_ec_der(&point), rules)?.of_public(&point))
    }

    pub(super) fn point(&self) -> Result<Vec<u8>, InvalidKey> {
        Ok([vec![4], binary(&self.x, "x")?, binary(&self.y, "y")?].concat())
    }

    /// Returns the private number `d` of an elliptic curve key.
    pub(super) fn private(&self) -> Result<Vec<u8>, InvalidKey> {
        if self.d.is_none() { Err(InvalidKey::NotPrivate) } else { binary(&self.d, "d") }
    }

    pub(super) fn public_x(&self) -> Result<Vec<u8>, InvalidKey> {
        binary(&self.x, "x")
    }

    /// Returns the fields `n`, `e`, `d`, `p`, `q`, `dp`, `dq` and `qi` of a private RSA key. A key that has `d` but
    /// not all fields from `p` to `qi` is refused: the hub would have to factor `n` to compute them, and no tool
    /// writes keys without them.
    pub(super) fn rsa_components(&self) -> Result<[Vec<u8>; 8], InvalidKey> {
        if self.d.is_none() {
            return Err(InvalidKey::NotPrivate);
        }
        Ok([
            number(&self.n, "n")?,
            number(&self.e, "e")?,
            number(&self.d, "d")?,
            number(&self.p, "p")?,
            number(&self.q, "q")?,
            number(&self.dp, "dp")?,
            number(&self.dq, "dq")?,
            number(&self.qi, "qi")?,
        ])
    }
}

fn binary(member: &Option<String>, name: &'static str) -> Result<Vec<u8>, InvalidKey> {
    let text = member.as_deref().ok_or(InvalidKey::JwkMember(name))?;
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| InvalidKey::JwkMember(name))
}

/// Reads a number, and removes the leading zero bytes that some tools write.
fn number(member: &Option<String>, name: &'static str) -> Result<Vec<u8>, InvalidKey> {
    let bytes = binary(member, name)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    if zeros == bytes.len() { Err(InvalidKey::JwkMember(name)) } else { Ok(bytes[zeros..].to_vec()) }
}

#[cfg(test)]
mod tests;
