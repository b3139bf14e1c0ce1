//! The reasons why something cannot be used as a key, with messages that say what to do. No variant holds any part of a
//! key.
use super::{
    super::algorithm::Algorithm,
    kind::{KeyKind, MAX_SHOWN_CHARS},
};
use fanfare_mask::shortened;
use std::fmt;

/// The reason why something cannot be used as a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidKey {
    /// The text of the key is empty.
    Empty,
    /// A secret is shorter than the hash of its algorithm. Whoever has a token could find out such a secret by guessing
    /// ([RFC 7518, section 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
    ShortSecret {
        /// The algorithm of the secret.
        algorithm: Algorithm,
        /// The number of bytes that the secret has.
        bytes: usize,
        /// The number of bytes that the secret needs.
        minimum: usize,
    },
    /// An RSA key is too short to be safe, or so long that it makes verifying slow without being safer.
    RsaLength {
        /// The number of bits that the key has.
        bits: usize,
        /// The smallest number of bits that is allowed.
        minimum: usize,
        /// The greatest number of bits that is allowed.
        maximum: usize,
    },
    /// None of the algorithms that were configured fits the type of the key.
    Algorithm {
        /// The type of the key.
        kind: KeyKind,
        /// The algorithms that were configured.
        algorithms: Vec<Algorithm>,
    },
    /// A public key has a type or a curve that the hub does not know.
    UnknownType,
    /// A private key was given where a public key is needed.
    Private,
    /// A public key was given where a private key is needed to sign.
    NotPrivate,
    /// Several keys were given where one is expected.
    Several,
    /// The private key is encrypted.
    Encrypted,
    /// The key is in the format of OpenSSH.
    Ssh,
    /// A PEM document is damaged: its contents do not match its header, or a part is missing.
    Pem,
    /// A PEM document holds something that is not a key. The string is the document's label.
    PemLabel(String),
    /// The JSON object is neither a JWK nor a JWK set.
    NotJwk,
    /// A field of a JWK is missing or malformed. The string is the name of the field.
    JwkMember(&'static str),
    /// A JWK has a type that the hub does not know. The string is this type.
    JwkType(String),
    /// A JWK is not meant for signatures, according to one of its fields `use`, `key_ops` and `alg`. The string is the
    /// name of this field.
    JwkPurpose(&'static str),
    /// A JWK names an algorithm that is not allowed. The value is this algorithm.
    JwkAlgorithm(Algorithm),
    /// A JWK set that anybody can fetch holds a secret or a private key.
    Published,
    /// A JWK set has too many bytes.
    SetTooLarge {
        /// The number of bytes that the set has.
        bytes: usize,
        /// The greatest number of bytes that is allowed.
        limit: usize,
    },
    /// A JWK set or a PEM text has too many keys.
    TooManyKeys {
        /// The number of keys in the set or text.
        count: usize,
        /// The greatest number of keys that is allowed.
        limit: usize,
    },
    /// None of the keys of a set can be used. The value is the reason why the first key cannot be used; `None` if the
    /// set is empty.
    NoneUsable(Option<Box<InvalidKey>>),
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the key is empty"),
            Self::ShortSecret { algorithm, bytes, minimum } => write!(
                f,
                "the key has {bytes} bytes, {algorithm} needs at least {minimum} so that it cannot be guessed \
                 (`openssl rand -hex {minimum}` makes one)"
            ),
            Self::RsaLength { bits, minimum, maximum } => {
                write!(f, "the RSA key has {bits} bits, {minimum} to {maximum} are allowed")
            }
            Self::Algorithm { kind, algorithms } => {
                let names: Vec<_> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
                write!(f, "{kind} cannot be used with {}", names.join(", "))
            }
            Self::UnknownType => {
                f.write_str("the public key is of an unknown type: expected RSA, P-256, P-384 or Ed25519")
            }
            Self::Private => f.write_str(
                "this is a private key; give the hub only the public key (`openssl pkey -in private.pem -pubout` \
                 makes it)",
            ),
            Self::NotPrivate => f.write_str("this is a public key, which cannot sign: give the private key"),
            Self::Several => f.write_str("there are several keys that can sign: give only one key"),
            Self::Encrypted => f.write_str(
                "the private key is encrypted (`openssl pkey -in encrypted.pem -out private.pem` decrypts it)",
            ),
            Self::Ssh => f.write_str(
                "this is a key for SSH: expected PEM (`ssh-keygen -e -m PKCS8 -f key.pub` makes it), JWK or a secret",
            ),
            Self::Pem => f.write_str("the PEM text is damaged or incomplete"),
            Self::PemLabel(label) => {
                write!(f, "a PEM text of type {:?} is not a key", shortened(label, MAX_SHOWN_CHARS))
            }
            Self::NotJwk => f.write_str("the JSON is neither a JWK nor a JWK set"),
            Self::JwkMember(name) => write!(f, "the field '{name}' of the JWK is missing or malformed"),
            Self::JwkType(name) => {
                write!(
                    f,
                    "a JWK of type {:?} cannot be used: expected oct, RSA, EC with P-256 or P-384, or Ed25519",
                    shortened(name, MAX_SHOWN_CHARS)
                )
            }
            Self::JwkPurpose(member) => {
                write!(f, "the JWK is meant for another use, according to its field '{member}'")
            }
            Self::JwkAlgorithm(algorithm) => write!(f, "the JWK is for {algorithm}, which is not allowed here"),
            Self::Published => {
                f.write_str("a secret key was published: everybody who has read it can forge tokens; replace it")
            }
            Self::SetTooLarge { bytes, limit } => write!(f, "the JWK set has {bytes} bytes, {limit} are allowed"),
            Self::TooManyKeys { count, limit } => write!(f, "there are {count} keys, {limit} are allowed"),
            Self::NoneUsable(None) => f.write_str("the JWK set contains no key"),
            Self::NoneUsable(Some(first)) => write!(f, "no key of the JWK set can be used: {first}"),
        }
    }
}

impl std::error::Error for InvalidKey {}
