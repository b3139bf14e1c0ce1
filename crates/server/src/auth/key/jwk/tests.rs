//! Tests of JWK documents: the hub obeys what a JWK says about the use of its key.
use super::*;
use crate::auth::{InvalidToken, KeySet, SigningKey};
use aws_lc_rs::{
    encoding::AsBigEndian as _,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    },
};
use serde_json::{Map, json};

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns private keys that were made for this test. Without its private members each one is a public key.
fn private_keys() -> Vec<Value> {
    let curves = [("P-256", 32, &ECDSA_P256_SHA256_FIXED_SIGNING), ("P-384", 48, &ECDSA_P384_SHA384_FIXED_SIGNING)];
    let elliptic = curves.map(|(name, bytes, curve)| {
        let pair = EcdsaKeyPair::generate(curve).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(bytes);
        let d = pair.private_key().as_be_bytes().unwrap();
        json!({"kty": "EC", "crv": name, "x": base64(x), "y": base64(y), "d": base64(d.as_ref())})
    });
    let pair = Ed25519KeyPair::generate().unwrap();
    let seed = pair.seed().unwrap().as_be_bytes().unwrap();
    let x = base64(pair.public_key().as_ref());
    let edwards = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "d": base64(seed.as_ref())});
    let rsa: Value = serde_json::from_str(include_str!("../../../../tests/keys/rsa-private.jwk.json")).unwrap();
    elliptic.into_iter().chain([edwards, rsa]).collect()
}

fn public_half(key: &Value) -> Value {
    let mut public = key.clone();
    for member in ["d", "p", "q", "dp", "dq", "qi"] {
        public.as_object_mut().unwrap().remove(member);
    }
    public
}

fn with(key: &Value, member: &str, value: Value) -> Value {
    let mut changed = key.clone();
    changed[member] = value;
    changed
}

fn read_one(key: &Value, rules: &KeyRules) -> Result<Key, InvalidKey> {
    read(&key.to_string(), rules).map(|mut keys| keys.remove(0))
}

fn token(key: &SigningKey) -> String {
    key.sign("JWT", &Map::new())
}

fn verifies(keys: &KeySet, token: &str) -> Result<(), InvalidToken> {
    keys.verify(token.as_bytes(), &jsonwebtoken::decode_header(token).unwrap()).map(|_| ())
}

#[test]
fn every_type_signs_and_verifies() {
    let secret = json!({"kty": "oct", "k": base64(&[7; 32])});
    for private in private_keys().iter().chain([&secret]) {
        let signing = SigningKey::read(&with(private, "kid", "a".into()).to_string(), &KeyRules::default()).unwrap();
        let public = read_one(&with(&public_half(private), "kid", "b".into()), &KeyRules::default()).unwrap();
        let token = token(&signing);
        assert_eq!(jsonwebtoken::decode_header(&token).unwrap().kid.as_deref(), Some("a"));
        // The key ID is only a hint: here it is wrong, and the key still verifies the token.
        assert_eq!(verifies(&public.into(), &token), Ok(()), "{}", private["kty"]);
    }
    let [a, b] = [0, 1].map(|index| private_keys()[index].clone());
    let of_others = read_one(&public_half(&a), &KeyRules::default()).unwrap();
    let token = token(&SigningKey::read(&b.to_string(), &KeyRules::default()).unwrap());
    assert!(verifies(&of_others.into(), &token).is_err());
}

/// RFC 7517, sections 4.2 to 4.4.
#[test]
fn what_a_key_is_meant_for_is_honoured() {
    let keys = private_keys();
    let [p256, rsa] = [public_half(&keys[0]), public_half(&keys[3])];
    let only = |algorithm| KeyRules { algorithms: vec![algorithm], ..KeyRules::default() };
    let cases = [
        (with(&p256, "use", "sig".into()), KeyRules::default(), Ok(vec![Algorithm::Es256])),
        (with(&p256, "use", "enc".into()), KeyRules::default(), Err(InvalidKey::JwkPurpose("use"))),
        (with(&p256, "key_ops", json!(["verify"])), KeyRules::default(), Ok(vec![Algorithm::Es256])),
        (with(&p256, "key_ops", json!(["sign"])), KeyRules::default(), Err(InvalidKey::JwkPurpose("key_ops"))),
        (with(&p256, "key_ops", json!([])), KeyRules::default(), Err(InvalidKey::JwkPurpose("key_ops"))),
        (with(&rsa, "alg", "PS384".into()), KeyRules::default(), Ok(vec![Algorithm::Ps384])),
        (with(&rsa, "alg", "PS384".into()), only(Algorithm::Ps384), Ok(vec![Algorithm::Ps384])),
        (with(&rsa, "alg", "PS384".into()), only(Algorithm::Rs256), Err(InvalidKey::JwkAlgorithm(Algorithm::Ps384))),
        (with(&rsa, "alg", "RSA-OAEP".into()), KeyRules::default(), Err(InvalidKey::JwkPurpose("alg"))),
        (with(&rsa, "alg", "none".into()), KeyRules::default(), Err(InvalidKey::JwkPurpose("alg"))),
        (rsa.clone(), only(Algorithm::Rs512), Ok(vec![Algorithm::Rs512])),
        (keys[0].clone(), KeyRules::default(), Err(InvalidKey::Private)),
        (with(&p256, "x", "AAAA".into()), KeyRules::default(), Err(InvalidKey::JwkMember("x"))),
        (with(&p256, "y", Value::Null), KeyRules::default(), Err(InvalidKey::JwkMember("y"))),
        (with(&p256, "crv", "P-521".into()), KeyRules::default(), Err(InvalidKey::JwkType("EC P-521".into()))),
        (with(&rsa, "kty", "AKP".into()), KeyRules::default(), Err(InvalidKey::JwkType("AKP".into()))),
        (with(&rsa, "n", "AQAB".into()), KeyRules::default(), Err(check_rsa(17).unwrap_err())),
        (with(&rsa, "kid", json!(1)), KeyRules::default(), Err(InvalidKey::NotJwk)),
    ];
    for (key, rules, expected) in cases {
        let read = read_one(&key, &rules).map(|key| key.algorithms().to_vec());
        assert_eq!(read, expected, "{key}");
    }
    // An RSA key that names HS256, and the opposite.
    let confused = with(&rsa, "alg", "HS256".into());
    assert!(matches!(read_one(&confused, &KeyRules::default()), Err(InvalidKey::Algorithm { .. })));
}

#[test]
fn a_set_passes_over_what_cannot_be_used() {
    let keys = private_keys();
    let good = with(&public_half(&keys[2]), "kid", "good".into());
    let encryption = with(&with(&good, "use", "enc".into()), "kid", "bad".into());
    let set = json!({"keys": [encryption, good, {"kty": "XYZ"}, 7, ["OKP", "Ed25519"]]}).to_string();
    let (read, unusable) = read_published(set.as_bytes(), &KeyRules::default()).unwrap();
    assert_eq!(read.iter().map(|key| key.id()).collect::<Vec<_>>(), [Some("good")]);
    let unusable: Vec<_> = unusable.into_iter().map(|key| (key.number, key.id, key.reason)).collect();
    let expected = [
        (1, Some("bad".to_owned()), InvalidKey::JwkPurpose("use")),
        (3, None, InvalidKey::JwkType("XYZ".into())),
        (4, None, InvalidKey::NotJwk),
        (5, None, InvalidKey::NotJwk),
    ];
    assert_eq!(unusable, expected);
    assert_eq!(read_published(br#"{"keys":[]}"#, &KeyRules::default()).unwrap_err(), InvalidKey::NoneUsable(None));
    assert_eq!(read_published(good.to_string().as_bytes(), &KeyRules::default()).unwrap_err(), InvalidKey::NotJwk);
}

/// A published secret is not secret any more; only a document of the configuration may hold secrets.
#[test]
fn a_published_set_holds_public_keys_alone() {
    let secret = json!({"keys": [{"kty": "oct", "k": base64(&[7; 32])}]}).to_string();
    assert!(read(&secret, &KeyRules::default()).is_ok());
    let private = json!({"keys": [private_keys()[0]]}).to_string();
    for set in [secret, private] {
        let published = read_published(set.as_bytes(), &KeyRules::default()).unwrap_err();
        assert_eq!(published, InvalidKey::NoneUsable(Some(Box::new(InvalidKey::Published))));
    }
}

#[test]
fn a_set_has_a_largest_size() {
    let key = public_half(&private_keys()[2]);
    let set = |count| json!({"keys": vec![key.clone(); count]}).to_string();
    assert_eq!(read(&set(MAX_SET_KEYS), &KeyRules::default()).unwrap().len(), MAX_SET_KEYS);
    let (count, limit) = (MAX_SET_KEYS + 1, MAX_SET_KEYS);
    assert_eq!(read(&set(count), &KeyRules::default()).unwrap_err(), InvalidKey::TooManyKeys { count, limit });
    let padded = |bytes: usize| set(1) + &" ".repeat(bytes - set(1).len());
    assert!(read_published(padded(MAX_SET_BYTES).as_bytes(), &KeyRules::default()).is_ok());
    let (bytes, limit) = (MAX_SET_BYTES + 1, MAX_SET_BYTES);
    let too_large = InvalidKey::SetTooLarge { bytes, limit };
    assert_eq!(read_published(padded(bytes).as_bytes(), &KeyRules::default()).unwrap_err(), too_large);
}
