//! The settings of one run of `fanfare serve`: every option has its value, and the values fit together.
use super::{
    ConfigError,
    alias::Alias,
    as_text::AsText,
    bounds::Bound,
    cookie_name::CookieName,
    delivery::Delivery,
    file_access,
    issuer::Issuer,
    keys::{Given, IssuerKeys, KeyPair},
    layer::Source,
    listen,
    log_filter::LogFilter,
    merge::Merged,
    origin::CorsOrigin,
    relay::Relay,
    retention::RetentionRule,
    static_files,
    switch::Switch,
};
use crate::{
    quantity::{ByteSize, HumanDuration, Limit},
    secret::Secret,
};
use fanfare_jwks::{Addresses, JwksUrl};
use fanfare_server::auth::{Algorithm, Key};
use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tracing_subscriber::filter::Targets;
use url::Url;

/// Everything that `serve` is told, resolved. What each field means stands in [`super::options::ServeOptions`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ServeSettings {
    #[serde(deserialize_with = "listen::address")]
    pub listen: SocketAddr,
    data: PathBuf,
    memory: bool,
    pub public_url: Option<Url>,
    #[serde(rename = "static")]
    pub static_dir: Option<PathBuf>,
    pub fallback: Option<String>,
    pub page: Switch,
    #[serde(default, rename = "alias")]
    pub aliases: Vec<Alias>,
    #[serde(default, rename = "relay")]
    pub relays: Vec<Relay>,
    clock: Option<bool>,
    key: Option<Secret>,
    jwks: Option<Vec<AsText<JwksUrl>>>,
    algorithm: Option<Vec<AsText<Algorithm>>>,
    publisher_key: Option<Secret>,
    publisher_jwks: Option<Vec<AsText<JwksUrl>>>,
    publisher_algorithm: Option<Vec<AsText<Algorithm>>>,
    subscriber_key: Option<Secret>,
    subscriber_jwks: Option<Vec<AsText<JwksUrl>>>,
    subscriber_algorithm: Option<Vec<AsText<Algorithm>>>,
    #[serde(default)]
    issuer: Vec<Issuer>,
    pub audience: Option<String>,
    pub open_behind_proxy: bool,
    allow_short_keys: bool,
    allow_private_jwks: bool,
    pub cookie_name: Option<CookieName>,
    pub access_cookie_name: Option<CookieName>,
    #[serde(default, rename = "publish-origin")]
    publish_origins: Vec<CorsOrigin>,
    pub anonymous: bool,
    #[serde(default, rename = "cors-origin")]
    cors_origins: Vec<CorsOrigin>,
    pub subscriptions: bool,
    pub allow_erase: bool,
    pub heartbeat_interval: HumanDuration,
    pub max_lifetime: Limit<HumanDuration>,
    pub max_body: ByteSize,
    pub max_subscribers: u64,
    pub max_topics: u64,
    pub write_timeout: HumanDuration,
    pub keep_alive_timeout: HumanDuration,
    pub retention_age: Limit<HumanDuration>,
    pub retention_bytes: Limit<ByteSize>,
    pub retention_count: Limit<u64>,
    #[serde(default)]
    pub retention: Vec<RetentionRule>,
    pub delivery: Delivery,
    pub delivery_threads: Option<u64>,
    log_level: LogFilter,
}

/// Where the log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// In memory: it ends with the process.
    Memory,
    /// In this directory.
    Disk(PathBuf),
}

impl ServeSettings {
    /// Takes what the layers say, if it keeps to the bounds and fits together.
    ///
    /// # Errors
    /// [`ConfigError`] says which value is at fault and where it comes from.
    pub(crate) fn resolve(merged: &Merged) -> Result<Self, ConfigError> {
        check_bounds(merged)?;
        let settings: Self = merged.values.clone().try_into().expect("each layer was parsed into these types");
        settings.check_access(merged)?;
        settings.check_places()?;
        static_files::check(&settings, merged)?;
        Ok(settings)
    }

    /// Where the log is kept.
    pub(crate) fn storage(&self) -> Storage {
        if self.memory { Storage::Memory } else { Storage::Disk(self.data.clone()) }
    }

    /// The directory of the log, if [`keeps_data`](Self::keeps_data).
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Returns true if the log is on disk.
    pub(super) fn keeps_data(&self) -> bool {
        !self.memory
    }

    /// The keys for tokens that name no issuer, and for issuers without keys of their own.
    pub(crate) fn keys(&self) -> KeyPair {
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
        KeyPair::new("", both, publisher, subscriber, self.allow_short_keys)
    }

    /// The issuers with their keys.
    pub(crate) fn issuers(&self) -> Vec<IssuerKeys> {
        let hub = self.keys();
        self.issuer.iter().map(|issuer| issuer.keys(&hub, self.allow_short_keys)).collect()
    }

    /// Where JWK sets may be fetched from.
    pub(crate) fn jwks_addresses(&self) -> Addresses {
        if self.allow_private_jwks { Addresses::Private } else { Addresses::Public }
    }

    /// What whoever runs the hub should know of its keys, and of the files that they come from.
    pub(crate) fn warnings(&self, merged: &Merged) -> Vec<String> {
        let (hub, issuers) = (self.keys(), self.issuers());
        let mut warnings = Vec::new();
        for material in hub.iter().chain(issuers.iter().flat_map(|issuer| issuer.keys.iter())) {
            warnings.extend(material.warnings(&material.read().unwrap_or_default()));
        }
        warnings.dedup();
        warnings.extend(self.file_warnings(merged));
        warnings
    }

    fn file_warnings(&self, merged: &Merged) -> Vec<String> {
        let config = merged.config_file.iter().map(|path| ("the configuration", path));
        let keys = merged.key_files.iter().map(|path| ("a key", path));
        let tokens = self.relays.iter().filter_map(|relay| relay.token_file.as_ref()).map(|path| ("a token", path));
        let mut warnings: Vec<_> =
            config.chain(keys).chain(tokens).filter_map(|(what, path)| file_access::warning(what, path)).collect();
        warnings.sort_unstable();
        warnings.dedup();
        warnings
    }

    /// The origins whose pages may publish with a cookie. `*` lets every page read; none is trusted with a cookie for
    /// it.
    pub(crate) fn publish_origins(&self) -> impl Iterator<Item = &str> {
        let own = if self.publish_origins.is_empty() { &self.cors_origins } else { &self.publish_origins };
        own.iter().map(CorsOrigin::as_str).filter(|origin| *origin != "*")
    }

    /// The origins whose pages may use the hub; `*` is all of them.
    pub(crate) fn cors_origins(&self) -> impl Iterator<Item = &str> {
        self.cors_origins.iter().map(CorsOrigin::as_str)
    }

    /// Returns true if anybody who reaches the hub may publish and subscribe.
    pub(crate) fn is_open(&self) -> bool {
        self.keys().is_empty() && self.issuer.is_empty()
    }

    /// Returns true if the topic `clock` ticks.
    pub(crate) fn clock(&self) -> bool {
        self.clock.unwrap_or(self.is_open())
    }

    /// What is logged.
    pub(crate) fn log_filter(&self) -> Targets {
        self.log_level.0.clone()
    }

    fn check_access(&self, merged: &Merged) -> Result<(), ConfigError> {
        let (hub, issuers) = (self.keys(), self.issuers());
        for (index, issuer) in issuers.iter().enumerate() {
            if issuer.keys.is_empty() {
                return Err(ConfigError::IssuerWithoutKey);
            }
            if issuers[..index].iter().any(|other| other.name == issuer.name) {
                return Err(ConfigError::IssuerTwice { name: issuer.name.clone() });
            }
        }
        let is_public = !self.listen.ip().to_canonical().is_loopback();
        for material in hub.iter().chain(issuers.iter().flat_map(|issuer| issuer.keys.iter())) {
            let keys = material.read().map_err(|error| placed(error, merged))?;
            if is_public && keys.iter().any(Key::is_sample) {
                let (name, listen) = (material.name.clone(), self.listen);
                return Err(ConfigError::SampleKey { place: place_of(&name, merged), name, listen });
            }
        }
        let pairs = || [&hub].into_iter().chain(issuers.iter().map(|issuer| &issuer.keys));
        let publishes = pairs().any(|keys| keys.publisher.is_some());
        let subscribes = pairs().any(|keys| keys.subscriber.is_some());
        match (publishes, subscribes) {
            (false, false) if let Some(name) = merged.empty_keys.first() => {
                Err(ConfigError::EmptyKey { name: name.clone() })
            }
            (false, false) if is_public => Err(ConfigError::NoKeys { listen: self.listen }),
            (false, true) => Err(ConfigError::NobodyPublishes),
            (true, false) if !self.anonymous => Err(ConfigError::NobodySubscribes),
            _ => Ok(()),
        }
    }

    fn check_places(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.public_url
            && (!matches!(url.scheme(), "http" | "https")
                || !url.username().is_empty()
                || [url.password(), url.query(), url.fragment()].iter().any(Option::is_some))
        {
            return Err(ConfigError::PublicUrl { url: url.clone() });
        }
        for (index, relay) in self.relays.iter().enumerate() {
            // Both would keep how far they are in one file.
            if self.relays[..index].iter().any(|other| other.file_name() == relay.file_name()) {
                return Err(ConfigError::RelayTwice { url: relay.shown_url() });
            }
        }
        Ok(())
    }
}

/// Says of a key where it comes from; those of an issuer come from where the issuers do.
fn placed(error: ConfigError, merged: &Merged) -> ConfigError {
    let ConfigError::Key { name, error, .. } = error else { return error };
    let place = Some(place_of(&name, merged));
    ConfigError::Key { name, place, error }
}

fn place_of(key: &str, merged: &Merged) -> Source {
    merged.source(if merged.values.contains_key(key) { key } else { "issuer" })
}

fn check_bounds(merged: &Merged) -> Result<(), ConfigError> {
    for (key, value) in &merged.values {
        let Some(bound) = Bound::of(key) else { continue };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !bound.admits(&text) {
            return Err(ConfigError::OutOfBounds { bound, text, place: merged.source(key) });
        }
    }
    Ok(())
}
