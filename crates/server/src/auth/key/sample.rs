//! Keys that everybody can know, because they appear in documentation, recipes or tests: if the hub trusted one of
//! them, anybody could make tokens. They are recognised by their content, whatever the form in which they are given: a
//! text, a file, a JWK, base64.
use aws_lc_rs::digest::{SHA256, digest};
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Secrets from the documentation of Mercure hubs and of JWT, and from our own tests. Each secret is listed without
/// punctuation and in lower case.
const SECRETS: [&str; 36] = [
    "1234567890",
    "astringsecretatleast256bitslong",
    "avalidstringsecretthatisatleast384bitslong",
    "avalidstringsecretthatisatleast512bitslongwhichisverylong",
    "avalidstringsecretthatisatleast512bitslongwhichisverylongindeed",
    "averysecretkey",
    "averylongsecretkey",
    "asecretofatleastthirtytwobytes",
    "abcdefghijklmnopqrstuvwxyz123456",
    "anothersecretofatleastthirtytwo",
    "deadbeef",
    "thesecretofpublishersoldertokens",
    "thesecretofsubscribersoldertokens",
    "thesecretofanissuerofnewertokens",
    "foobar",
    "jwtsecret",
    "jwtsecretkey",
    "keyboardcat",
    "mercure",
    "mercuresecret",
    "myjwt",
    "myjwtkey",
    "mysecret",
    "mysecretkey",
    "mysupersecretjwtkeyformercure",
    "password",
    "qwertyuiopasdfghjklzxcvbnm123456",
    "reallyreallyreallyreallyverysafe",
    "secret",
    "secretkey",
    "supersecret",
    "supersecretjwttokenwithatleast32characterslong",
    "supersecretkey",
    "test",
    "thisisasecretkey",
    "topsecret",
];

/// Words that appear only in placeholders such as `!ChangeMe!`. If a secret contains one of these words, the operator
/// has not chosen a secret yet. The words are listed without punctuation and in lower case.
const PLACEHOLDERS: [&str; 16] = [
    "changeme",
    "changeit",
    "changethis",
    "changethesecret",
    "donotuse",
    "insecure",
    "unsecure",
    "notsosecret",
    "placeholder",
    "replaceme",
    "replacethis",
    "secrethere",
    "yoursecret",
    "yourjwt",
    "yoursupersecret",
    "your256bit",
];

/// The SHA-256 hashes of well-known keys that are not text: of secrets, and of public keys whose private key is
/// published. For a public key, the hash is over the modulus of RSA, the uncompressed point of a curve, or the 32 bytes
/// of Ed25519.
const DIGESTS: [&str; 9] = [
    // The sample keys of jwt.io for RS256 and ES256.
    "2da8a492573f9cd453d9a68d7a24c62b4c2c8bd0c3497283ff438b606f65e0d3",
    "3606efb50575c4916188c05a0b2527e1b499e1907f4d21af3f61f251e3078c78",
    // The keys in the appendices A.1 and A.3 of RFC 7515, and A.2 of RFC 8037.
    "c8ecc9361a05e285f04c26f9572131a6deab07e9e2b865053c6f75a4d8bd2b32",
    "dcd2446ca98830c843c493a672364ba971d674fbef5ce87d697165b31e90300a",
    "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9",
    // The keys of our own tests: RSA, P-256, P-384 and Ed25519, in this order.
    "7e477b4050e550fa1a22cf1f918e7f4b1eb92c6e17cea0d1618314363f82a695",
    "ade1f536059216b93c2bd6507065944f024808b7e68cfe3fce9db461f64c3b5c",
    "c263af9e8b3312410c52830f5b4975d58bbd512d5223a66e1634fa91f1fd4953",
    "6203a3c9ba84f3ae7e6382e2bf84babe75a2057c9cd80576d56f01f3e4038af6",
];

/// The greatest number of times that a secret is decoded to find a well-known secret in it.
const MAX_ENCODINGS: usize = 2;

/// Base64 with `+` and `/`, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Returns true if this secret is well known, or is the base64 or hexadecimal form of a well-known secret.
pub(super) fn is_secret(secret: &[u8]) -> bool {
    is_encoded(secret, MAX_ENCODINGS)
}

/// Returns true if this key is published, or if it is a public key whose private key is published.
pub(super) fn is_published(key: &[u8]) -> bool {
    let digest: String = digest(&SHA256, key).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    DIGESTS.contains(&digest.as_str())
}

fn is_encoded(secret: &[u8], encodings: usize) -> bool {
    let text = str::from_utf8(secret).unwrap_or_default().trim();
    says_so(text)
        || is_published(secret)
        || (encodings > 0 && decoded(text).iter().any(|secret| is_encoded(secret, encodings - 1)))
}

/// Decodes the text in each way that is possible: as base64 of both alphabets, and as hexadecimal.
fn decoded(text: &str) -> Vec<Vec<u8>> {
    let text: String = text.split_ascii_whitespace().collect();
    let pairs = text.as_bytes().chunks_exact(2);
    let is_even = pairs.remainder().is_empty();
    let hex = pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()).collect::<Option<Vec<u8>>>();
    let hex = hex.filter(|bytes| is_even && !bytes.is_empty());
    let base64 = BASE64.decode(text.replace('-', "+").replace('_', "/")).ok().filter(|bytes| !bytes.is_empty());
    hex.into_iter().chain(base64).collect()
}

/// Returns true if the text is one of the well-known secrets or several copies of it, if it repeats one character, or
/// if it contains a word of a placeholder. Only letters and digits are compared, and case does not matter.
fn says_so(text: &str) -> bool {
    let plain: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    let repeats =
        |unit: &str| plain.len() >= unit.len() && plain.bytes().zip(unit.bytes().cycle()).all(|(a, b)| a == b);
    !plain.is_empty()
        && (repeats(&plain[..1])
            || SECRETS.iter().any(|secret| repeats(secret))
            || PLACEHOLDERS.iter().any(|words| plain.contains(words)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    #[test]
    fn what_everybody_knows_is_recognised_also_encoded() {
        for secret in [
            "!ChangeMe!",
            "!ChangeThisMercureHubJWTSecretKey!",
            "!UnsecureChangeMe!",
            "change-me-publisher-secret-key",
            "your-256-bit-secret",
            "a-string-secret-at-least-256-bits-long",
            "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
            "secret",
            "secretsecretsecretsecretsecretsecret",
            "a secret of at least thirty-two bytes",
            "12345678901234567890123456789012",
            "00000000000000000000000000000000",
            "MERCURE_SECRET",
        ] {
            let hex: String = secret.bytes().map(|byte| format!("{byte:02X}")).collect();
            let forms = [
                secret.to_owned(),
                format!(" {secret}\n"),
                STANDARD.encode(secret),
                URL_SAFE_NO_PAD.encode(secret),
                STANDARD.encode(STANDARD.encode(secret)),
                hex,
            ];
            for form in forms {
                assert!(is_secret(form.as_bytes()), "{form}");
            }
        }
        let of_the_rfc = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        assert!(is_secret(of_the_rfc.as_bytes()) && is_secret(&URL_SAFE_NO_PAD.decode(of_the_rfc).unwrap()));
    }

    #[test]
    fn what_nobody_knows_is_not() {
        for secret in [
            "8f1d3c5a7e9b2d4f6a8c0e1b3d5f7a9c8f1d3c5a7e9b2d4f6a8c0e1b3d5f7a9c",
            "correct horse battery staple",
            "a secret that somebody chose for this",
            "SECRETS are kept by those who keep them",
            "",
            "!!!!",
        ] {
            assert!(!is_secret(secret.as_bytes()), "{secret}");
        }
        assert!(!is_secret(&[0x80, 0xff, 0, 1, 2, 3]));
    }
}
