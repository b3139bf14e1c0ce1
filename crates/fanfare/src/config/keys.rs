//! The keys that a configuration contains, and the URLs of JWK sets that it names. This module fetches nothing.
use super::{as_text::AsText, error::ConfigError, issuer::Issuer, words::Words};
use crate::secret::Secret;
use fanfare_jwks::JwksUrl;
use fanfare_server::auth::{Algorithm, Key, KeyRules};

/// The keys of the options that give the hub keys to verify tokens.
pub(super) const OPTIONS: [&str; 10] = [
    "key",
    "key-file",
    "jwks",
    "publisher-key",
    "publisher-key-file",
    "publisher-jwks",
    "subscriber-key",
    "subscriber-key-file",
    "subscriber-jwks",
    "issuer",
];

/// The keys that verify the tokens for one role: publishers or subscribers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyMaterial {
    /// The name of these keys in messages, such as `publisher-key`, or `issuer NAME: publisher-key` if they belong to
    /// an issuer.
    pub name: String,
    text: Option<Secret>,
    /// The URLs of JWK sets, whose keys are used in addition to those of `text`.
    pub jwks: Vec<JwksUrl>,
    /// The algorithms that the keys may be used with, and whether short secrets are allowed.
    pub rules: KeyRules,
}

/// The keys of the hub or of one issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyPair {
    /// The keys that verify the tokens of publishers. With `None`, all tokens of publishers are refused.
    pub publisher: Option<KeyMaterial>,
    /// The keys that verify the tokens of subscribers. With `None`, all tokens of subscribers are refused. Equal to
    /// `publisher` if both roles share the same keys.
    pub subscriber: Option<KeyMaterial>,
}

/// An issuer with its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IssuerKeys {
    /// The `iss` claim of the issuer's tokens.
    pub name: String,
    /// The `aud` claim of the issuer's tokens; `None` means the hub's audience.
    pub audience: Option<String>,
    /// The keys that verify the issuer's tokens.
    pub keys: KeyPair,
}

/// The values of the options that give keys for publishers, for subscribers, or for both.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub key: Option<&'a Secret>,
    pub jwks: Option<&'a Vec<Words<AsText<JwksUrl>>>>,
    pub algorithm: Option<&'a Vec<Words<AsText<Algorithm>>>>,
}

impl KeyMaterial {
    fn new(name: String, given: Given<'_>, allow_short_secrets: bool) -> Option<Self> {
        let jwks: Vec<_> = given.jwks.into_iter().flatten().flatten().map(|AsText(url)| url.clone()).collect();
        if given.key.is_none() && jwks.is_empty() {
            return None;
        }
        let algorithms = given.algorithm.into_iter().flatten().flatten().map(|AsText(algorithm)| *algorithm).collect();
        Some(Self { name, text: given.key.cloned(), jwks, rules: KeyRules { algorithms, allow_short_secrets } })
    }

    /// Returns the keys that the configuration itself contains, without those of JWK sets.
    ///
    /// # Errors
    /// [`ConfigError::Key`] if the keys cannot be used.
    pub(crate) fn read(&self) -> Result<Vec<Key>, ConfigError> {
        let Some(text) = &self.text else { return Ok(Vec::new()) };
        Key::read(text.reveal(), &self.rules).map_err(|error| ConfigError::Key {
            name: self.name.clone(),
            place: None,
            error,
        })
    }

    /// Returns warnings about `keys` for the person who runs the hub.
    pub(super) fn warnings(&self, keys: &[Key]) -> Vec<String> {
        let mut warnings = Vec::new();
        if keys.iter().any(Key::is_sample) {
            warnings.push(format!(
                "{} is from public documentation: anybody can make tokens with it. It is accepted because the hub \
                 listens on loopback; behind a proxy it opens the hub to everybody. Make your own secret: \
                 openssl rand -hex 32",
                self.name
            ));
        }
        for (algorithm, minimum) in keys.iter().filter_map(Key::short_for) {
            warnings.push(format!(
                "{} is shorter than the {minimum} bytes that {algorithm} needs: everybody who sees a token can guess \
                 the secret, and make other tokens. It is accepted because allow-short-keys is set",
                self.name
            ));
        }
        warnings
    }
}

impl KeyPair {
    /// Makes a pair. A role that has no key and no JWK set of its own uses everything from `both`. A role that has its
    /// own keys, but no algorithms, uses the algorithms from `both`.
    pub(super) fn new(
        owner: &str,
        both: Given<'_>,
        publisher: Given<'_>,
        subscriber: Given<'_>,
        allow_short_secrets: bool,
    ) -> Self {
        let shared = KeyMaterial::new(format!("{owner}key"), both, allow_short_secrets);
        let own = |name: &str, given: Given<'_>| {
            let algorithm = given.algorithm.or(both.algorithm);
            KeyMaterial::new(format!("{owner}{name}"), Given { algorithm, ..given }, allow_short_secrets)
        };
        Self {
            publisher: own("publisher-key", publisher).or_else(|| shared.clone()),
            subscriber: own("subscriber-key", subscriber).or(shared),
        }
    }

    /// Returns true if neither role has keys.
    pub(crate) fn is_empty(&self) -> bool {
        self.publisher.is_none() && self.subscriber.is_none()
    }

    /// Iterates over the keys for publishers and the keys for subscribers. Keys that are equal for both roles are
    /// returned once.
    pub(super) fn iter(&self) -> impl Iterator<Item = &KeyMaterial> {
        let subscriber = self.subscriber.as_ref().filter(|_| self.publisher != self.subscriber);
        self.publisher.iter().chain(subscriber)
    }
}

impl Issuer {
    /// Returns the issuer's keys, or the hub's keys if the issuer has none.
    pub(super) fn keys(&self, hub: &KeyPair, allow_short_secrets: bool) -> IssuerKeys {
        let both = Given { key: self.key.as_ref(), jwks: self.jwks.as_ref(), algorithm: self.algorithm.as_ref() };
        let publisher = Given {
            key: self.publisher_key.as_ref(),
            jwks: self.publisher_jwks.as_ref(),
            algorithm: self.publisher_algorithm.as_ref(),
        };
        let subscriber = Given {
            key: self.subscriber_key.as_ref(),
            jwks: self.subscriber_jwks.as_ref(),
            algorithm: self.subscriber_algorithm.as_ref(),
        };
        let owner = format!("issuer {}: ", self.name);
        let keys = KeyPair::new(&owner, both, publisher, subscriber, allow_short_secrets);
        let keys = if keys.is_empty() { hub.clone() } else { keys };
        IssuerKeys { name: self.name.clone(), audience: self.audience.clone(), keys }
    }
}
