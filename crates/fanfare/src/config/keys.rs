//! The keys that a configuration contains, and the URLs of JWK sets that it names. This module fetches nothing.
use super::{as_text::AsText, error::ConfigError, issuer::Issuer, words::Words};
use crate::secret::Secret;
use fanfare_jwks::JwksUrl;
use fanfare_server::auth::{Algorithm, Key, KeyRules};

/// The names of the options that give the hub its keys for verifying tokens.
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
        let algorithms = given.algorithm.map(|given| algorithms_of(given)).unwrap_or_default();
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

fn algorithms_of(given: &[Words<AsText<Algorithm>>]) -> Vec<Algorithm> {
    given.iter().flatten().map(|AsText(algorithm)| *algorithm).collect()
}

impl KeyPair {
    /// Makes the pair from the values of the options for each role, and from those for both roles (`both`). A role that
    /// has no key and no JWK set of its own uses those from `both`, and a role that has no algorithms of its own uses
    /// the algorithms from `both`.
    pub(super) fn new(
        owner: &str,
        both: Given<'_>,
        publisher: Given<'_>,
        subscriber: Given<'_>,
        allow_short_secrets: bool,
    ) -> Self {
        let of_role = |name: &str, given: Given<'_>| {
            let algorithm = given.algorithm.or(both.algorithm);
            let has_keys = given.key.is_some() || given.jwks.is_some_and(|urls| !urls.is_empty());
            let (name, keys) = if has_keys { (name, given) } else { ("key", both) };
            KeyMaterial::new(format!("{owner}{name}"), Given { algorithm, ..keys }, allow_short_secrets)
        };
        Self { publisher: of_role("publisher-key", publisher), subscriber: of_role("subscriber-key", subscriber) }
    }

    /// Returns the pair with other algorithms: the keys of each role are used only with the algorithms that are given
    /// for this role. If none are given for a role, its keys are used with the same algorithms as before.
    fn with_algorithms(&self, [publisher, subscriber]: [Option<&Vec<Words<AsText<Algorithm>>>>; 2]) -> Self {
        let limit = |keys: &Option<KeyMaterial>, algorithms: Option<&Vec<_>>| {
            let mut keys = keys.clone()?;
            if let Some(algorithms) = algorithms {
                keys.rules.algorithms = algorithms_of(algorithms);
            }
            Some(keys)
        };
        Self { publisher: limit(&self.publisher, publisher), subscriber: limit(&self.subscriber, subscriber) }
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
    /// Returns the issuer's keys, or the hub's keys if the issuer has none. If the issuer has algorithms, the keys are
    /// used only with these algorithms, even if they are the hub's keys.
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
        let algorithms = [publisher, subscriber].map(|role| role.algorithm.or(both.algorithm));
        let keys = if keys.is_empty() { hub.with_algorithms(algorithms) } else { keys };
        IssuerKeys { name: self.name.clone(), audience: self.audience.clone(), keys }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Algorithm::{Hs256, Hs384, Hs512};

    fn given<'a>(key: Option<&'a Secret>, algorithm: Option<&'a Vec<Words<AsText<Algorithm>>>>) -> Given<'a> {
        Given { key, jwks: None, algorithm }
    }

    #[test]
    fn algorithms_of_a_role_or_an_issuer_count_although_it_has_no_keys() {
        let [key, own]: [Secret; 2] = ["a", "b"].map(|text| text.repeat(64).parse().unwrap());
        let [hs256, hs384, hs512] = [Hs256, Hs384, Hs512].map(|algorithm| vec![Words(vec![AsText(algorithm)])]);
        let rules = |keys: &Option<KeyMaterial>| keys.as_ref().unwrap().rules.algorithms.clone();
        let pair = |publisher| KeyPair::new("", given(Some(&key), Some(&hs256)), publisher, given(None, None), false);
        for (publisher, expected) in [
            (given(None, None), [Hs256]),
            (given(None, Some(&hs512)), [Hs512]),
            (given(Some(&own), None), [Hs256]),
            (given(Some(&own), Some(&hs512)), [Hs512]),
        ] {
            let pair = pair(publisher);
            assert_eq!(rules(&pair.publisher), expected);
            assert_eq!(pair.publisher.unwrap().text.is_some_and(|text| text == own), publisher.key.is_some());
            assert_eq!(rules(&pair.subscriber), [Hs256]);
        }
        let hub = pair(given(None, None));
        let mut issuer: Issuer = "https://a.example".parse().unwrap();
        assert_eq!(issuer.keys(&hub, false).keys, hub);
        issuer.algorithm = Some(hs512);
        issuer.subscriber_algorithm = Some(hs384);
        let keys = issuer.keys(&hub, false).keys;
        assert_eq!((rules(&keys.publisher), rules(&keys.subscriber)), (vec![Hs512], vec![Hs384]));
    }
}
