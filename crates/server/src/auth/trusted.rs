//! The keys that are trusted, and for which tokens. Keys are never pooled: those of an issuer verify tokens that name
//! it, for the purpose that they are for, and nothing else. What is here can be replaced while the hub runs
//! ([`KeyStore`]), and parts of it may come from elsewhere and change by themselves ([`KeySource`]).
use super::{algorithm::Algorithm, claims::Claims, credentials::Purpose, invalid_token::InvalidToken, key::Key};
use jsonwebtoken::{Header, Validation, errors::ErrorKind};
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
};

/// The most keys that one token is tried with. A token that names a key of the set by its `kid` is tried with that
/// first.
pub const MAX_TRIED_KEYS: usize = 16;

/// Keys that come from elsewhere, such as the JWK set of an authorization server.
pub trait KeySource: fmt::Debug + Send + Sync {
    /// The keys that hold now; none, if there are none yet or they have become too old.
    fn keys(&self) -> Arc<[Arc<Key>]>;

    /// Asks for newer keys, because a token names one that is not there. Anybody can send such a token, so that this
    /// must be limited in rate and in time. Resolves to whether there are other keys now.
    ///
    /// # Cancel safety
    /// Dropping the future must lose nothing: what was asked for may still arrive.
    fn refresh(&self) -> Pin<Box<dyn Future<Output = bool> + Send + '_>>;

    /// True if the keys could not be had when they were last asked for: what was known before holds on, if there is
    /// any.
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

/// An authorization server, and the keys that it alone signs with.
#[derive(Clone, Debug)]
pub struct TrustedIssuer {
    /// Its `iss` claim.
    pub issuer: String,
    /// The name that its tokens must have in their `aud` claim; `None` is the hub's own audience.
    pub audience: Option<String>,
    /// The keys that verify its tokens when somebody publishes.
    pub publisher_keys: KeySet,
    /// The keys that verify its tokens when somebody subscribes.
    pub subscriber_keys: KeySet,
}

/// Everything that verifies tokens.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys {
    /// The keys that verify older-revision tokens that name no issuer of `issuers`, when somebody publishes.
    pub publisher_keys: KeySet,
    /// The same, when somebody subscribes.
    pub subscriber_keys: KeySet,
    /// The issuers whose tokens are accepted, of either revision. Each name must be there once; the first one counts.
    pub issuers: Vec<TrustedIssuer>,
}

/// A [`TrustedKeys`] that can be replaced while the hub runs. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct KeyStore(Arc<RwLock<Arc<TrustedKeys>>>);

impl KeySet {
    /// These keys, and what the sources hold from time to time.
    #[must_use]
    pub fn new(keys: Vec<Key>, sources: Vec<Arc<dyn KeySource>>) -> Self {
        Self { fixed: keys.into_iter().map(Arc::new).collect(), sources: sources.into() }
    }

    /// True if it can never hold a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.sources.is_empty()
    }

    /// The keys that hold now.
    #[must_use]
    pub fn keys(&self) -> Vec<Arc<Key>> {
        let sourced: Vec<_> = self.sources.iter().map(|source| source.keys()).collect();
        self.fixed.iter().chain(sourced.iter().flat_map(|keys| keys.iter())).cloned().collect()
    }

    /// True if a token that one verifies, the other verifies by its nature too: they are clones of one set.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.fixed, &other.fixed) && Arc::ptr_eq(&self.sources, &other.sources)
    }

    /// Asks the sources for newer keys and returns whether there are other ones now.
    pub(super) async fn refresh(&self) -> bool {
        let mut changed = false;
        for source in self.sources.iter() {
            changed |= source.refresh().await;
        }
        changed
    }

    /// True if some keys could not be had when they were last asked for.
    pub(super) fn fails(&self) -> bool {
        self.sources.iter().any(|source| source.fails())
    }

    /// The claims of a token that one of the keys verifies, and that key.
    pub(super) fn verify(&self, token: &[u8], header: &Header) -> Result<(Claims, Arc<Key>), InvalidToken> {
        let all = self.keys();
        let algorithm = Algorithm::from_library(header.alg).ok_or(InvalidToken::Unreadable)?;
        let mut keys: Vec<_> = all.iter().filter(|key| key.algorithms().contains(&algorithm)).collect();
        // Its name is a hint: it decides the order, and no key is taken for it that is not here.
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
    /// An issuer that signs for publishers and subscribers with the same keys, for the hub's own audience.
    #[must_use]
    pub fn new(issuer: &str, keys: KeySet) -> Self {
        Self { issuer: issuer.to_owned(), audience: None, publisher_keys: keys.clone(), subscriber_keys: keys }
    }

    /// The keys for one purpose.
    #[must_use]
    pub fn keys(&self, purpose: Purpose) -> &KeySet {
        choose(purpose, &self.publisher_keys, &self.subscriber_keys)
    }
}

impl TrustedKeys {
    /// The keys for tokens that name no trusted issuer, which only those of the older revision may leave out.
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
    /// The keys that hold now.
    #[must_use]
    pub fn current(&self) -> Arc<TrustedKeys> {
        // Whoever panicked had only an Arc to put there.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts other keys in place of all that held. Each token is verified with the ones or with the others; streams that
    /// are open stay so until their token expires.
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

/// The header's algorithm is one of the key's here; the library checks again that it fits the key's type.
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
