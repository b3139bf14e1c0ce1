//! The keys that are trusted, and the tokens that each of them may verify. Keys are never mixed: the keys of an issuer
//! verify only tokens that name this issuer, and only for their own purpose. The keys can be replaced while the hub
//! runs ([`KeyStore`]). Some keys can come from a source outside the hub, which may change them at any time
//! ([`KeySource`]).
use super::{algorithm::Algorithm, claims::Claims, credentials::Purpose, invalid_token::InvalidToken, key::Key};
use jsonwebtoken::{Header, Validation, errors::ErrorKind};
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
};

/// The greatest number of keys that are tried for one token. If the token names one of the keys by its `kid`, this key
/// is tried first.
pub const MAX_TRIED_KEYS: usize = 16;

/// A source of keys outside the hub, such as the JWK set of an authorization server.
pub trait KeySource: fmt::Debug + Send + Sync {
    /// Returns the keys that are valid now. There are none if the source has not got any yet, or if its keys have
    /// become too old.
    fn keys(&self) -> Arc<[Arc<Key>]>;

    /// Returns true if the source has this key, or may have it: its keys are not known yet, or are too old to be used.
    /// When this becomes false, the hub ends the streams that the key has let in.
    fn may_have(&self, key: &Key) -> bool {
        self.keys().iter().any(|known| known.is_same(key))
    }

    /// Asks for newer keys, because a token names a key that the source does not have. Anybody can send a token with an
    /// invented key ID, so the implementation must limit how often it asks and how long it waits. Resolves to true if
    /// the keys may have changed, so that the token must be verified again.
    ///
    /// # Cancel safety
    /// The future can be dropped at any time; the keys that were asked for must still be accepted when they arrive.
    fn refresh(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;

    /// Returns true if the last attempt to get keys failed. The source may still have valid keys from earlier attempts.
    fn fails(&self) -> bool {
        false
    }
}

/// The keys of one issuer for one purpose. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    fixed: Arc<[Arc<Key>]>,
    sources: Arc<[Arc<dyn KeySource>]>,
}

/// An authorization server that the hub trusts, and the keys that it signs its tokens with.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// The value of the `iss` claim in its tokens.
    pub issuer: String,
    /// The audience that the issuer's tokens must name in their `aud` claim; `None` if this is the hub's own audience.
    pub audience: Option<String>,
    /// The keys that verify the issuer's tokens of publishers.
    pub publisher_keys: KeySet,
    /// The keys that verify the issuer's tokens of subscribers.
    pub subscriber_keys: KeySet,
}

/// All keys that verify tokens.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys {
    /// The keys that verify publishers' tokens of Mercure's older revision, unless a token names one of the `issuers`.
    pub publisher_keys: KeySet,
    /// The keys that verify subscribers' tokens of Mercure's older revision, unless a token names one of the `issuers`.
    pub subscriber_keys: KeySet,
    /// The issuers whose tokens are accepted, in both revisions of Mercure. Each name must appear only once; if it
    /// appears again, the first issuer with this name counts.
    pub issuers: Vec<TrustedIssuer>,
}

/// A shared [`TrustedKeys`] that can be replaced while the hub runs. All clones share it.
#[derive(Clone, Debug, Default)]
pub struct KeyStore(Arc<RwLock<Arc<TrustedKeys>>>);

impl KeySet {
    /// Creates a set of these keys and of all keys that the sources have, now or later.
    #[must_use]
    pub fn new(keys: Vec<Key>, sources: Vec<Arc<dyn KeySource>>) -> Self {
        Self { fixed: keys.into_iter().map(Arc::new).collect(), sources: sources.into() }
    }

    /// Returns true if the set has neither keys of its own nor sources, so that it never holds a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.sources.is_empty()
    }

    /// Returns the keys that are valid now.
    #[must_use]
    pub fn keys(&self) -> Vec<Arc<Key>> {
        let sourced: Vec<_> = self.sources.iter().map(|source| source.keys()).collect();
        self.fixed.iter().chain(sourced.iter().flat_map(|keys| keys.iter())).cloned().collect()
    }

    /// Returns true if `self` and `other` are clones of one set, so that they always verify the same tokens.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.fixed, &other.fixed) && Arc::ptr_eq(&self.sources, &other.sources)
    }

    /// Returns true if the set has this key for this algorithm. If the key came from a source (`is_sourced`), the result
    /// is also true as long as it is not known whether a source has it.
    pub(super) fn may_have(&self, key: &Key, algorithm: Algorithm, is_sourced: bool) -> bool {
        let mut known = self.keys().into_iter().filter(|known| known.is_same(key)).peekable();
        let is_unknown = known.peek().is_none();
        known.any(|known| known.algorithms().contains(&algorithm))
            || (is_unknown && is_sourced && self.sources.iter().any(|source| source.may_have(key)))
    }

    /// Returns true if this very key of the set came from a source.
    pub(super) fn is_sourced(&self, key: &Arc<Key>) -> bool {
        !self.fixed.iter().any(|fixed| Arc::ptr_eq(fixed, key))
    }

    /// Asks the sources for newer keys, and returns true if the keys of a source may have changed.
    pub(super) async fn refresh(&self) -> bool {
        let mut changed = false;
        for source in self.sources.iter() {
            changed |= source.refresh().await;
        }
        changed
    }

    /// Returns true if the last attempt of a source to get keys failed.
    pub(super) fn fails(&self) -> bool {
        self.sources.iter().any(|source| source.fails())
    }

    /// Verifies the signature of a token with the keys of this set. Returns the token's claims and the key that
    /// verified the signature.
    pub(super) fn verify(&self, token: &[u8], header: &Header) -> Result<(Claims, Arc<Key>), InvalidToken> {
        let all = self.keys();
        let algorithm = Algorithm::from_library(header.alg).ok_or(InvalidToken::Unreadable)?;
        let mut keys: Vec<_> = all.iter().filter(|key| key.algorithms().contains(&algorithm)).collect();
        // The key ID in the token is only a hint: it decides which key is tried first, and never adds a key.
        let is_named = |key: &Key| key.id().is_some() && key.id() == header.kid.as_deref();
        keys.sort_by_key(|key| !is_named(key));
        for key in keys.iter().take(MAX_TRIED_KEYS) {
            match verify_signature(token, key, header.alg) {
                Ok(claims) => return Ok((claims, Arc::clone(key))),
                Err(InvalidToken::Signature) => {}
                Err(error) => return Err(error),
            }
        }
        let is_known = header.kid.is_none() || all.iter().any(|key| is_named(key));
        Err(match (all.is_empty(), is_known, keys.is_empty()) {
            (true, ..) | (_, false, _) => InvalidToken::UnknownKey,
            (_, _, true) => InvalidToken::Algorithm { algorithm, expected: algorithms(&all) },
            _ => InvalidToken::Signature,
        })
    }
}

impl FromIterator<Key> for KeySet {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        Self::new(keys.into_iter().collect(), Vec::new())
    }
}

impl From<Key> for KeySet {
    fn from(key: Key) -> Self {
        Self::from_iter([key])
    }
}

impl TrustedIssuer {
    /// Creates an issuer whose tokens are for the hub's own audience, and whose keys verify the tokens of both
    /// publishers and subscribers.
    #[must_use]
    pub fn new(issuer: &str, keys: KeySet) -> Self {
        Self { issuer: issuer.to_owned(), audience: None, publisher_keys: keys.clone(), subscriber_keys: keys }
    }

    /// Returns the issuer's keys for tokens that are used for this purpose.
    #[must_use]
    pub fn keys(&self, purpose: Purpose) -> &KeySet {
        choose(purpose, &self.publisher_keys, &self.subscriber_keys)
    }
}

impl TrustedKeys {
    /// Returns the keys for tokens that name no trusted issuer. Only keys for tokens of Mercure's older revision are
    /// among them.
    #[must_use]
    pub fn keys(&self, purpose: Purpose) -> &KeySet {
        choose(purpose, &self.publisher_keys, &self.subscriber_keys)
    }

    pub(super) fn issuer(&self, name: &str) -> Option<&TrustedIssuer> {
        self.issuers.iter().find(|trusted| trusted.issuer == name)
    }
}

fn choose<'a>(purpose: Purpose, publisher: &'a KeySet, subscriber: &'a KeySet) -> &'a KeySet {
    match purpose {
        Purpose::Publish => publisher,
        Purpose::Subscribe => subscriber,
    }
}

impl KeyStore {
    /// Returns the keys that are valid now.
    #[must_use]
    pub fn current(&self) -> Arc<TrustedKeys> {
        // The value is complete even if a thread has panicked while it held the lock: writers only replace an `Arc`.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces all keys. Each token is verified either with the old keys or with the new ones, never with keys of
    /// both. A running server then ends the streams whose tokens are signed with a key that is not trusted any more; see
    /// [`REVOCATION_INTERVAL`](crate::server::REVOCATION_INTERVAL).
    pub fn replace(&self, keys: TrustedKeys) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}

impl From<TrustedKeys> for KeyStore {
    fn from(keys: TrustedKeys) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(keys))))
    }
}

fn algorithms(keys: &[Arc<Key>]) -> Vec<Algorithm> {
    let mut algorithms: Vec<_> = keys.iter().flat_map(|key| key.algorithms()).copied().collect();
    algorithms.sort_unstable();
    algorithms.dedup();
    algorithms
}

/// Verifies the signature of a token with one key. The caller has checked that the key may be used with `algorithm`;
/// the library checks again that `algorithm` fits the key's type.
fn verify_signature(token: &[u8], key: &Key, algorithm: jsonwebtoken::Algorithm) -> Result<Claims, InvalidToken> {
    let mut signature_only = Validation::new(algorithm);
    signature_only.required_spec_claims.clear();
    signature_only.validate_exp = false;
    signature_only.validate_aud = false;
    match jsonwebtoken::decode(token, key.verifying(), &signature_only) {
        Ok(data) => Ok(data.claims),
        Err(error) => Err(match error.kind() {
            ErrorKind::InvalidSignature => InvalidToken::Signature,
            _ => InvalidToken::Unreadable,
        }),
    }
}
