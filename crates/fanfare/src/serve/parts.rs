//! Converts the settings to the types of the hub and of the server.
use super::ServeError;
use crate::{
    config::{ConfigError, RetentionRule, ServeSettings, Storage},
    quantity::{ByteSize, Count},
};
use fanfare_hub::{
    HubLimits,
    budget::{Budget, Budgets},
    log::{Log, MemoryLog, PresenceLimit, Retention, SegmentLog},
};
use fanfare_server::{
    Settings,
    auth::{AuthSettings, KeyStore},
    hub_path::HUB_PATH,
    tls::{Certificate, Certificates, Tls},
};
use std::{net::SocketAddr, num::NonZero, sync::Arc, thread};
use url::Url;

/// Opens the log, in memory or on disk.
///
/// # Errors
/// [`ServeError::Log`] if the log cannot be opened.
pub(super) fn log(settings: &ServeSettings) -> Result<Arc<dyn Log>, ServeError> {
    let retention = Retention {
        age_ms: settings.retention_age.get().map(|age| u64::try_from(age.0.as_millis()).unwrap_or(u64::MAX)),
        bytes: settings.retention_bytes.get().map(|size| size.0),
        count: settings.retention_count.get().map(|count| count.0),
        topics: settings.retention.iter().flatten().flatten().map(RetentionRule::to_topic_retention).collect(),
        presence: PresenceLimit::DEFAULT,
    };
    match settings.storage() {
        Storage::Memory => Ok(Arc::new(MemoryLog::new(retention))),
        Storage::Disk(data) => {
            // If the log on disk is damaged, opening it logs what was wrong and what was done about it.
            let log = SegmentLog::open(&data, retention).map_err(|error| ServeError::Log { data, error })?;
            Ok(Arc::new(log))
        }
    }
}

/// Returns the limits of the hub.
pub(super) fn hub_limits(settings: &ServeSettings) -> HubLimits {
    let mut limits = HubLimits::default();
    let budget =
        |memory: ByteSize, comparisons: Count| Budget { bytes: count(memory.0), comparisons: count(comparisons.0) };
    limits.budgets = Budgets {
        all: budget(settings.max_subscription_memory, settings.max_comparisons),
        anonymous: budget(settings.max_anonymous_memory, settings.max_anonymous_comparisons),
    };
    limits
}

/// Returns the settings that decide who may publish and subscribe, with the keys in `keys`.
pub(crate) fn access(settings: &ServeSettings, address: SocketAddr, keys: KeyStore) -> AuthSettings {
    let hub_url = public_url(settings, address).join(HUB_PATH).expect("any web address can be joined with a path");
    let mut auth = if settings.is_open() { AuthSettings::open(hub_url) } else { AuthSettings::closed(hub_url) };
    auth.open_behind_proxy = settings.open_behind_proxy;
    auth.anonymous = settings.anonymous;
    auth.keys = keys;
    if let Some(audience) = &settings.audience {
        auth.audience = audience.clone();
    }
    if let Some(name) = &settings.cookie_name {
        name.as_str().clone_into(&mut auth.legacy_cookie);
    }
    if let Some(name) = &settings.access_cookie_name {
        name.as_str().clone_into(&mut auth.modern_cookie);
    }
    auth.publish_origins = settings.publish_origins().map(str::to_owned).collect();
    auth
}

/// Returns the settings of the server, except those that [`access`] returns.
pub(super) fn server(settings: &ServeSettings, address: SocketAddr) -> Settings {
    let mut server = Settings::default();
    let aliases = settings.aliases().map(|alias| (alias.path().to_owned(), alias.topics().to_vec()));
    server.aliases = aliases.collect();
    server.cors_origins = settings.cors_origins().map(str::to_owned).collect();
    server.static_dir = settings.r#static.clone();
    server.fallback = settings.fallback.clone();
    server.page = settings.page.0;
    server.start_event = settings.start_event.0;
    server.heartbeat_interval = settings.heartbeat_interval.0;
    server.max_lifetime = settings.max_lifetime.get().map(|lifetime| lifetime.0);
    server.max_body_bytes = count(settings.max_body.0);
    server.max_topics = count(settings.max_topics.0);
    server.max_anonymous_patterns = count(settings.max_anonymous_patterns.0);
    server.max_subscribers = count(settings.max_subscribers.0);
    server.subscriptions = settings.subscriptions;
    server.allow_erase = settings.allow_erase;
    server.delivery = settings.delivery.into();
    server.delivery_threads = settings.delivery_threads.and_then(|threads| NonZero::new(count(threads.0)));
    server.connection_threads = thread::available_parallelism().ok();
    server.write_timeout = settings.write_timeout.0;
    server.keep_alive_timeout = settings.keep_alive_timeout.0;
    server.public_url = public_url(settings, address);
    server
}

/// Returns the TLS settings of the hub, and `None` if it serves HTTP.
///
/// # Errors
/// [`ServeError`] if the files with certificates cannot be read any more, or if the system gives no random numbers.
pub(super) fn tls(settings: &ServeSettings) -> Result<Option<Tls>, ServeError> {
    if !settings.has_tls() {
        return Ok(None);
    }
    let tls = Tls::new(Certificates::new(certificates(settings)?)).map_err(ServeError::Tls)?;
    Ok(Some(if settings.tls_only_known_names { tls.only_known_names() } else { tls }))
}

/// Reads the certificates of the hub.
///
/// # Errors
/// [`ConfigError::Tls`] if a file cannot be used.
pub(super) fn certificates(settings: &ServeSettings) -> Result<Vec<Certificate>, ConfigError> {
    Ok(settings.certificates()?.into_iter().map(|read| read.certificate).collect())
}

/// Returns the URL under which clients know the hub.
fn public_url(settings: &ServeSettings, address: SocketAddr) -> Url {
    let listening =
        || Url::parse(&format!("{}://{address}/", settings.scheme())).expect("an address and a port make a valid URL");
    settings.public_url().cloned().unwrap_or_else(listening)
}

/// Converts the value of an option. The bounds of the options ensure that it fits into `usize`.
fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    /// Compares the defaults of the library with those of the program.
    #[test]
    fn the_defaults_are_those_of_the_server() {
        let settings = config::default_settings();
        assert_eq!(hub_limits(&settings), HubLimits::default());
        let (ours, theirs) = (server(&settings, settings.listen.0), Settings::default());
        assert_eq!(ours.heartbeat_interval, theirs.heartbeat_interval);
        assert_eq!(ours.max_lifetime, theirs.max_lifetime);
        assert_eq!(ours.max_body_bytes, theirs.max_body_bytes);
        assert_eq!(ours.max_topics, theirs.max_topics);
        assert_eq!(ours.max_anonymous_patterns, theirs.max_anonymous_patterns);
        assert_eq!(ours.max_subscribers, theirs.max_subscribers);
        assert_eq!(ours.page, theirs.page);
        assert_eq!(ours.start_event, theirs.start_event);
        assert_eq!(ours.subscriptions, theirs.subscriptions);
        assert_eq!(ours.write_timeout, theirs.write_timeout);
        assert_eq!(ours.keep_alive_timeout, theirs.keep_alive_timeout);
        assert_eq!(ours.delivery, theirs.delivery);
        assert_eq!(ours.delivery_threads, theirs.delivery_threads);
    }
}
