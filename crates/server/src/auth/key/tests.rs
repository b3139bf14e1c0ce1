//! Tests of keys of every type and form: a public key verifies what its private key has signed, and nothing else.
use super::{
    super::{Algorithm, InvalidToken, KeySet},
    verifying::{bit_length, check_rsa},
    *,
};
use serde_json::{Map, Value, json};

const TEST_SECRET: &str = "a secret for tests, which has more than the sixty-four bytes of HS512";

macro_rules! test_key {
    ($name:literal) => {
        include_str!(concat!("../../../tests/keys/", $name, ".pem"))
    };
}

/// Returns pairs of texts, a private and a public key, in each form of PEM, and the kind of the key.
fn pairs() -> [(&'static str, &'static str, KeyKind); 5] {
    [
        (TEST_SECRET, TEST_SECRET, KeyKind::Secret { bytes: TEST_SECRET.len() }),
        (test_key!("rsa-pkcs1-private"), test_key!("rsa-pkcs1-public"), KeyKind::Rsa { bits: 2_048 }),
        (test_key!("certificate-private"), test_key!("certificate"), KeyKind::P256),
        (test_key!("p384-sec1-private"), test_key!("p384-public"), KeyKind::P384),
        (test_key!("ed25519-private"), test_key!("ed25519-public"), KeyKind::Ed25519),
    ]
}

fn rules(algorithms: &[Algorithm]) -> KeyRules {
    KeyRules { algorithms: algorithms.to_vec(), ..KeyRules::default() }
}

fn token(key: &SigningKey) -> String {
    key.sign("JWT", &Map::from_iter([("sub".to_owned(), Value::from("me"))]))
}

fn verify(keys: &KeySet, token: &str) -> Result<Value, InvalidToken> {
    let header = jsonwebtoken::decode_header(token).unwrap();
    keys.verify(token.as_bytes(), &header).map(|(claims, _)| Value::Object(claims))
}

/// B31: only listed algorithms are accepted, and the algorithm must fit the type of the key.
#[test]
fn each_type_verifies_what_its_other_half_signs() {
    for (private, public, kind) in pairs() {
        let algorithms: Vec<_> = Algorithm::ALL.into_iter().filter(|algorithm| kind.fits(*algorithm)).collect();
        assert!(!algorithms.is_empty(), "{kind}");
        for algorithm in Algorithm::ALL {
            let signing = SigningKey::read(private, &rules(&[algorithm]));
            if !algorithms.contains(&algorithm) {
                let wrong = InvalidKey::Algorithm { kind, algorithms: vec![algorithm] };
                assert_eq!(signing.unwrap_err(), wrong);
                assert_eq!(Key::read(public, &rules(&[algorithm])).unwrap_err(), wrong);
                continue;
            }
            let signing = signing.unwrap();
            let token = token(&signing);
            let [key] = &Key::read(public, &rules(&[algorithm])).unwrap()[..] else { panic!("one key") };
            assert_eq!(key.kind(), kind);
            assert_eq!(verify(&key.clone().into(), &token), Ok(json!({"sub": "me"})), "{algorithm}");
            assert!(verify(&signing.verification().into(), &token).is_ok());
            let all: KeySet = Key::read(public, &rules(&algorithms)).unwrap().into_iter().collect();
            assert!(verify(&all, &token).is_ok(), "{algorithm} of several");
            // The same key is configured with only the other algorithms of its type.
            let others: Vec<_> = algorithms.iter().copied().filter(|other| *other != algorithm).collect();
            if !others.is_empty() {
                let keys: KeySet = Key::read(public, &rules(&others)).unwrap().into_iter().collect();
                assert_eq!(verify(&keys, &token), Err(InvalidToken::Algorithm { algorithm, expected: others }));
            }
        }
    }
}

/// A public key is not a secret: nobody must be able to sign with it as if it were one.
#[test]
fn a_public_key_does_not_become_a_secret() {
    let public = test_key!("rsa-pkcs1-public");
    let keys: KeySet = Key::read(public, &KeyRules::default()).unwrap().into_iter().collect();
    let der = &pem::documents(public).unwrap()[0].der;
    for secret in [public.as_bytes(), public.trim_end().as_bytes(), der] {
        let forged = token(&SigningKey::hs256(secret).unwrap());
        let expected = vec![Algorithm::Rs256];
        assert_eq!(verify(&keys, &forged), Err(InvalidToken::Algorithm { algorithm: Algorithm::Hs256, expected }));
    }
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        for (_, public, kind) in &pairs()[1..] {
            let wrong = InvalidKey::Algorithm { kind: *kind, algorithms: vec![algorithm] };
            assert_eq!(Key::read(public, &rules(&[algorithm])).unwrap_err(), wrong);
        }
    }
    let ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ7mTTLWTFNTUTK6Cm5LOYgyt5oVLuQLEAuW5Io0DiK1 me@example";
    assert_eq!(Key::read(ssh, &KeyRules::default()).unwrap_err(), InvalidKey::Ssh);
}

#[test]
fn without_a_word_each_type_has_one_algorithm() {
    let expected = [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa];
    for ((_, public, _), expected) in pairs().into_iter().zip(expected) {
        assert_eq!(Key::read(public, &KeyRules::default()).unwrap()[0].algorithms(), [expected]);
    }
}

#[test]
fn a_secret_is_at_least_as_long_as_the_hash() {
    for (algorithm, minimum) in [(Algorithm::Hs256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)] {
        let read = |bytes| Key::secret(&vec![b'k'; bytes], &rules(&[algorithm]));
        assert!(read(minimum).unwrap().short_for().is_none());
        let bytes = minimum - 1;
        assert_eq!(read(bytes).unwrap_err(), InvalidKey::ShortSecret { algorithm, bytes, minimum });
        let allowed = KeyRules { allow_short_secrets: true, ..rules(&[algorithm]) };
        assert_eq!(Key::secret(b"k", &allowed).unwrap().short_for(), Some((algorithm, minimum)));
    }
    assert!(Key::hs256(b"!ChangeThisMercureHubJWTSecretKey!").is_ok(), "the key of every Mercure demonstration");
    let allowed = KeyRules { allow_short_secrets: true, ..KeyRules::default() };
    assert_eq!(Key::read("\n", &allowed).unwrap_err(), InvalidKey::Empty);
}

#[test]
fn rsa_keys_have_a_least_length() {
    let short = InvalidKey::RsaLength { bits: 1_024, minimum: MIN_RSA_BITS, maximum: MAX_RSA_BITS };
    assert_eq!(Key::read(test_key!("rsa-1024-public"), &KeyRules::default()).unwrap_err(), short);
    assert!(check_rsa(MIN_RSA_BITS).is_ok() && check_rsa(MAX_RSA_BITS).is_ok());
    assert!(check_rsa(MIN_RSA_BITS - 1).is_err() && check_rsa(MAX_RSA_BITS + 1).is_err());
    assert_eq!([bit_length(&[0x80, 0]), bit_length(&[1, 0]), bit_length(&[])], [16, 9, 0]);
}

#[test]
fn what_is_no_public_key_is_told() {
    let public = test_key!("ed25519-public");
    let cases = [
        (test_key!("rsa-pkcs1-private").to_owned(), InvalidKey::Private),
        (test_key!("ed25519-private").to_owned(), InvalidKey::Private),
        (test_key!("p521-public").to_owned(), InvalidKey::UnknownType),
        (public.replace("PUBLIC KEY", "X509 CRL"), InvalidKey::PemLabel("X509 CRL".to_owned())),
        (public.replace("-----END", "-----ENDE"), InvalidKey::Pem),
        (public.replace("MCow", "MC!w"), InvalidKey::Pem),
        (public.replace("MCow", "MCoa"), InvalidKey::UnknownType),
        (test_key!("certificate").replace("MII", "MIJ"), InvalidKey::Pem),
        (public.repeat(MAX_SET_KEYS + 1), InvalidKey::TooManyKeys { count: MAX_SET_KEYS + 1, limit: MAX_SET_KEYS }),
        ("{}".to_owned(), InvalidKey::NotJwk),
        ("{".to_owned(), InvalidKey::NotJwk),
    ];
    for (text, expected) in cases {
        assert_eq!(Key::read(&text, &KeyRules::default()).unwrap_err(), expected, "{text}");
    }
    assert_eq!(Key::read(&public.repeat(MAX_SET_KEYS), &KeyRules::default()).unwrap().len(), MAX_SET_KEYS);
    // Environment variables and `.env` files often lose line ends.
    assert!(Key::read(&public.replace('\n', "\\n"), &KeyRules::default()).is_ok());
    let curve_first = Key::read(test_key!("p384-sec1-private"), &KeyRules::default());
    assert!(curve_first.is_err(), "{curve_first:?}");
}

#[test]
fn what_cannot_sign_is_told() {
    let read = |text: &str| SigningKey::read(text, &KeyRules::default()).unwrap_err();
    assert_eq!(read(test_key!("ed25519-public")), InvalidKey::NotPrivate);
    assert_eq!(read(test_key!("certificate")), InvalidKey::NotPrivate);
    assert_eq!(read(&test_key!("ed25519-private").repeat(2)), InvalidKey::Several);
    assert_eq!(read(r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#), InvalidKey::NotPrivate);
    let encrypted = test_key!("ed25519-private").replace("PRIVATE", "ENCRYPTED PRIVATE");
    assert_eq!(read(&encrypted), InvalidKey::Encrypted);
}

#[test]
fn a_key_is_not_printed() {
    for (private, public, _) in pairs() {
        let (key, signing) = (Key::read(public, &KeyRules::default()), SigningKey::read(private, &KeyRules::default()));
        let shown = format!("{key:?} {signing:?} {:?}", key.as_ref().unwrap()[0].verifying);
        assert!(!shown.contains("a secret for tests") && !shown.contains("MII") && shown.len() < 200, "{shown}");
    }
}
