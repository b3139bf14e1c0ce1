//! Makes the keys with which the hub verifies tokens, from the keys and the JWK sets that the configuration names.
use crate::config::{ConfigError, KeyMaterial, KeyPair, ServeSettings};
use fanfare_jwks::{Addresses, Client, JwksSource, JwksUrl, Timing};
use fanfare_server::auth::{KeyRules, KeySet, KeySource, TrustedIssuer, TrustedKeys};
use std::sync::Arc;

/// The JWK sets that are fetched from URLs. When the configuration is read again, the sets that the configuration still
/// names are kept, with the keys that were fetched.
#[derive(Debug)]
pub(crate) struct KeyRing {
    client: Client,
    sources: Vec<Source>,
}

#[derive(Clone, Debug)]
struct Source {
    url: JwksUrl,
    rules: KeyRules,
    keys: Arc<JwksSource>,
}

impl KeyRing {
    /// Makes a ring without JWK sets. It may fetch sets only from `addresses`.
    pub(crate) fn new(addresses: Addresses) -> Self {
        Self { client: Client::new(addresses), sources: Vec::new() }
    }

    /// Returns the keys that verify tokens under `settings`. The ring begins to fetch the JWK sets that are new in
    /// `settings`, on the current tokio runtime. It drops the sets that `settings` no longer name. A dropped set is no
    /// longer fetched once nobody uses its keys.
    ///
    /// # Errors
    /// [`ConfigError::Key`] if a key cannot be used; then the ring stays as it was.
    pub(crate) fn trusted(&mut self, settings: &ServeSettings) -> Result<TrustedKeys, ConfigError> {
        let mut next = Self { client: self.client.clone(), sources: Vec::new() };
        let (publisher_keys, subscriber_keys) = next.sets(&settings.keys(), &self.sources)?;
        let mut issuers = Vec::new();
        for issuer in settings.issuers() {
            let (publisher_keys, subscriber_keys) = next.sets(&issuer.keys, &self.sources)?;
            let (issuer, audience) = (issuer.name, issuer.audience);
            issuers.push(TrustedIssuer { issuer, audience, publisher_keys, subscriber_keys });
        }
        *self = next;
        Ok(TrustedKeys { publisher_keys, subscriber_keys, issuers })
    }

    /// Waits until the first attempt to fetch each JWK set has ended. A failed attempt is logged.
    pub(crate) async fn ready(&self) {
        for source in &self.sources {
            // A failure can be ignored: the task that fetches the set logs it and tries again later.
            let _ = source.keys.ready().await;
        }
    }

    /// Waits until the first attempt to fetch each JWK set has ended. Returns the URL of each set with its keys, or
    /// with the error.
    pub(crate) async fn fetched(&self) -> Vec<(String, Result<Vec<String>, String>)> {
        let mut fetched = Vec::new();
        for source in &self.sources {
            let keys = || source.keys.keys().iter().map(ToString::to_string).collect();
            let outcome = source.keys.ready().await.map(|()| keys()).map_err(|error| error.to_string());
            fetched.push((source.url.masked().to_string(), outcome));
        }
        fetched
    }

    /// Fetches each JWK set again, at once or some seconds after its last fetch.
    pub(crate) fn fetch_again(&self) {
        self.sources.iter().for_each(|source| source.keys.fetch_again());
    }

    fn sets(&mut self, pair: &KeyPair, known: &[Source]) -> Result<(KeySet, KeySet), ConfigError> {
        let publisher = self.set(pair.publisher.as_ref(), known)?;
        let subscriber = if pair.subscriber == pair.publisher {
            publisher.clone()
        } else {
            self.set(pair.subscriber.as_ref(), known)?
        };
        Ok((publisher, subscriber))
    }

    fn set(&mut self, material: Option<&KeyMaterial>, known: &[Source]) -> Result<KeySet, ConfigError> {
        let Some(material) = material else { return Ok(KeySet::default()) };
        let keys = material.read()?;
        let sources = material.jwks.iter().map(|url| self.source(url, &material.rules, known) as Arc<dyn KeySource>);
        Ok(KeySet::new(keys, sources.collect()))
    }

    fn source(&mut self, url: &JwksUrl, rules: &KeyRules, known: &[Source]) -> Arc<JwksSource> {
        let here = self.sources.iter().chain(known).find(|source| source.url == *url && source.rules == *rules);
        let source = here.cloned().unwrap_or_else(|| {
            let keys = JwksSource::start(url.clone(), rules.clone(), self.client.clone(), Timing::default());
            Source { url: url.clone(), rules: rules.clone(), keys: Arc::new(keys) }
        });
        if !self.sources.iter().any(|known| Arc::ptr_eq(&known.keys, &source.keys)) {
            self.sources.push(source.clone());
        }
        source.keys
    }
}
