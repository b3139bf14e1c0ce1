//! Makes the keys that verify tokens from the keys that a configuration names.
use crate::config::{ConfigError, KeyMaterial, KeyPair, ServeSettings};
use fanfare_jwks::{Addresses, Client, JwksSource, JwksUrl, Timing};
use fanfare_server::auth::{KeyRules, KeySet, KeySource, TrustedIssuer, TrustedKeys};
use std::sync::Arc;

/// The JWK sets that are fetched from URLs. When the configuration is read again, the sets that it still names are kept
/// as they are.
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
    /// Makes a ring without keys, which may fetch sets from these addresses.
    pub(crate) fn new(addresses: Addresses) -> Self {
        Self { client: Client::new(addresses), sources: Vec::new() }
    }

    /// Returns the keys that verify tokens under `settings`. Fetching begins, on the current tokio runtime, for sets
    /// that are new in the ring. It ends for sets that are no longer named, once nobody uses them.
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

    /// Waits until each set was fetched, or the attempt has failed and was logged.
    pub(crate) async fn ready(&self) {
        for source in &self.sources {
            // A failure is logged where it happens, and the set is fetched again later.
            let _ = source.keys.ready().await;
        }
    }

    /// Waits until each set was fetched or the attempt has failed, and returns each URL with the keys or the error.
    pub(crate) async fn fetched(&self) -> Vec<(String, Result<Vec<String>, String>)> {
        let mut fetched = Vec::new();
        for source in &self.sources {
            let keys = || source.keys.keys().iter().map(ToString::to_string).collect();
            let outcome = source.keys.ready().await.map(|()| keys()).map_err(|error| error.to_string());
            fetched.push((source.url.masked().to_string(), outcome));
        }
        fetched
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
