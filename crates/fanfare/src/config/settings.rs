//! Methods of the settings that return them as the types that other parts of the program use.
use super::{
    alias::Alias,
    as_text::AsText,
    file_access,
    keys::{Given, IssuerKeys, KeyPair},
    merge::Merged,
    options::ServeSettings,
    origin::CorsOrigin,
    public_url::PublicUrl,
    relay::Relay,
};
use fanfare_jwks::Addresses;
use fanfare_server::routes::OwnPaths;
use std::{collections::HashSet, path::PathBuf};
use tracing_subscriber::filter::Targets;
use url::Url;

/// The place where the log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// The log is in memory, and is lost when the process ends.
    Memory,
    /// The log is on disk, in this directory.
    Disk(PathBuf),
}

impl ServeSettings {
    /// Returns the place where the log is kept.
    pub(crate) fn storage(&self) -> Storage {
        if self.memory { Storage::Memory } else { Storage::Disk(self.data.clone()) }
    }

    /// Returns the URL under which clients reach the hub, if one is given.
    pub(crate) fn public_url(&self) -> Option<&Url> {
        self.public_url.as_ref().map(|AsText(PublicUrl(url))| url)
    }

    /// Returns the aliases: other paths for event streams.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = &Alias> {
        self.alias.iter().flatten().flatten()
    }

    /// Returns the relays: event streams of other servers, which the hub publishes.
    pub(crate) fn relays(&self) -> impl Iterator<Item = &Relay> {
        self.relay.iter().flatten().flatten()
    }

    /// Returns the keys for tokens that name no issuer, and for issuers without their own keys.
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

    /// Returns the issuers with their keys.
    pub(crate) fn issuers(&self) -> Vec<IssuerKeys> {
        let hub = self.keys();
        self.issuer.iter().flatten().flatten().map(|issuer| issuer.keys(&hub, self.allow_short_keys)).collect()
    }

    /// Returns the addresses from which JWK sets may be fetched.
    pub(crate) fn jwks_addresses(&self) -> Addresses {
        if self.allow_private_jwks { Addresses::Private } else { Addresses::Public }
    }

    /// Returns warnings about the hub's keys, files with secrets, and aliases, for the person who runs the hub.
    pub(crate) fn warnings(&self, merged: &Merged) -> Vec<String> {
        let (hub, issuers) = (self.keys(), self.issuers());
        let mut warnings = Vec::new();
        for material in hub.iter().chain(issuers.iter().flat_map(|issuer| issuer.keys.iter())) {
            warnings.extend(material.warnings(&material.read().unwrap_or_default()));
        }
        // Both roles and several issuers may use one key.
        let mut known = HashSet::new();
        warnings.retain(|warning: &String| known.insert(warning.clone()));
        warnings.extend(self.file_warnings(merged));
        warnings.extend(self.alias_warnings());
        warnings.extend(self.certificates().iter().flatten().filter_map(|read| read.warning()));
        warnings
    }

    fn alias_warnings(&self) -> impl Iterator<Item = String> {
        let own = OwnPaths { page: self.page.0, subscriptions: self.subscriptions };
        let paths = self.aliases().map(Alias::path).filter(move |path| own.contain(path));
        paths.map(|path| format!("nobody reaches the alias {path}, because the hub itself uses this path"))
    }

    fn file_warnings(&self, merged: &Merged) -> Vec<String> {
        let config = merged.config_file.iter().map(|path| ("the configuration", path));
        let keys = merged.key_files.iter().map(|path| ("a key", path));
        let tokens = self.relays().filter_map(|relay| relay.token_file.as_ref()).map(|path| ("a token", path));
        let mut warnings: Vec<_> =
            config.chain(keys).chain(tokens).filter_map(|(what, path)| file_access::warning(what, path)).collect();
        warnings.sort_unstable();
        warnings.dedup();
        warnings
    }

    /// Returns the origins whose pages may publish with a cookie. `*` is not among them: it allows every page to read,
    /// but no page to publish with a cookie.
    pub(crate) fn publish_origins(&self) -> impl Iterator<Item = &str> {
        let own = self.publish_origin.as_ref().filter(|origins| !origins.is_empty()).or(self.cors_origin.as_ref());
        own.into_iter().flatten().flatten().map(CorsOrigin::as_str).filter(|origin| *origin != "*")
    }

    /// Returns the origins whose pages may use the hub; `*` means all origins.
    pub(crate) fn cors_origins(&self) -> impl Iterator<Item = &str> {
        self.cors_origin.iter().flatten().flatten().map(CorsOrigin::as_str)
    }

    /// Returns true if anybody who reaches the hub may publish and subscribe.
    pub(crate) fn is_open(&self) -> bool {
        self.keys().is_empty() && self.issuer.as_ref().is_none_or(Vec::is_empty)
    }

    /// Returns true if the hub publishes an update each second under the topic `clock`.
    pub(crate) fn clock(&self) -> bool {
        self.clock.unwrap_or(self.is_open())
    }

    /// Returns the filter of the log.
    pub(crate) fn log_filter(&self) -> Targets {
        self.log_level.0.clone()
    }
}
