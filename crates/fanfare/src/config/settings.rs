//! The settings of one run of `fanfare serve`: every option has its value, and the values fit together.
use super::{
    ConfigError,
    alias::Alias,
    bounds::Bound,
    delivery::Delivery,
    layer::Merged,
    log_filter::LogFilter,
    origin::CorsOrigin,
    quantity::{ByteSize, HumanDuration, Limit},
    relay::Relay,
    secret::Secret,
};
use fanfare_server::auth::MIN_KEY_BYTES;
use serde::Deserialize;
use std::{net::SocketAddr, path::PathBuf};
use tracing_subscriber::filter::Targets;
use url::Url;

/// Everything that `serve` is told, resolved. What each field means stands in [`super::options::ServeOptions`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ServeSettings {
    pub listen: SocketAddr,
    data: PathBuf,
    memory: bool,
    pub public_url: Option<Url>,
    #[serde(rename = "static")]
    pub static_dir: Option<PathBuf>,
    #[serde(default, rename = "alias")]
    pub aliases: Vec<Alias>,
    #[serde(default, rename = "relay")]
    pub relays: Vec<Relay>,
    clock: Option<bool>,
    key: Option<Secret>,
    publisher_key: Option<Secret>,
    subscriber_key: Option<Secret>,
    issuer: Option<String>,
    pub audience: Option<String>,
    pub anonymous: bool,
    #[serde(default, rename = "cors-origin")]
    cors_origins: Vec<CorsOrigin>,
    pub heartbeat_interval: HumanDuration,
    pub max_lifetime: Limit<HumanDuration>,
    pub max_body: ByteSize,
    pub max_subscribers: u64,
    pub max_topics: u64,
    pub write_timeout: HumanDuration,
    pub retention_age: Limit<HumanDuration>,
    pub retention_bytes: Limit<ByteSize>,
    pub retention_count: Limit<u64>,
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
        Ok(settings)
    }

    /// Where the log is kept.
    pub(crate) fn storage(&self) -> Storage {
        if self.memory { Storage::Memory } else { Storage::Disk(self.data.clone()) }
    }

    /// The secret of publishers' tokens; `None` only if the hub is open.
    pub(crate) fn publisher_key(&self) -> Option<&Secret> {
        self.publisher_key.as_ref().or(self.key.as_ref())
    }

    /// The secret of subscribers' tokens; `None` if the hub is open or all subscribers are anonymous.
    pub(crate) fn subscriber_key(&self) -> Option<&Secret> {
        self.subscriber_key.as_ref().or(self.key.as_ref())
    }

    /// The issuer of newer-revision tokens, and the secret that it signs with.
    pub(crate) fn issuer(&self) -> Option<(&str, &Secret)> {
        self.issuer.as_deref().zip(self.key.as_ref())
    }

    /// The origins whose pages may use the hub; `*` is all of them.
    pub(crate) fn cors_origins(&self) -> impl Iterator<Item = &str> {
        self.cors_origins.iter().map(CorsOrigin::as_str)
    }

    /// Whether anybody who reaches the hub may publish and subscribe.
    pub(crate) fn is_open(&self) -> bool {
        self.publisher_key().is_none() && self.subscriber_key().is_none()
    }

    /// Whether the topic `clock` ticks.
    pub(crate) fn clock(&self) -> bool {
        self.clock.unwrap_or(self.is_open())
    }

    /// What is logged.
    pub(crate) fn log_filter(&self) -> Targets {
        self.log_level.0.clone()
    }

    fn check_access(&self, merged: &Merged) -> Result<(), ConfigError> {
        for (key, secret) in
            [("key", &self.key), ("publisher-key", &self.publisher_key), ("subscriber-key", &self.subscriber_key)]
        {
            match secret.as_ref().map(|secret| secret.reveal().len()) {
                Some(bytes) if bytes < MIN_KEY_BYTES => {
                    return Err(ConfigError::ShortSecret { key, bytes, place: merged.source(key) });
                }
                _ => {}
            }
        }
        match (self.publisher_key(), self.subscriber_key()) {
            (None, None) if !self.listen.ip().to_canonical().is_loopback() => {
                Err(ConfigError::NoKeys { listen: self.listen })
            }
            (None, Some(_)) => Err(ConfigError::NobodyPublishes),
            (Some(_), None) if !self.anonymous => Err(ConfigError::NobodySubscribes),
            _ if self.issuer.is_some() && self.key.is_none() => Err(ConfigError::IssuerWithoutKey),
            _ => Ok(()),
        }
    }

    fn check_places(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.public_url
            && (!matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some())
        {
            return Err(ConfigError::PublicUrl { url: url.clone() });
        }
        if let Some(path) = &self.static_dir
            && !path.is_dir()
        {
            return Err(ConfigError::StaticDirectory { path: path.clone() });
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
