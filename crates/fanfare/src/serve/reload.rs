//! Reads the keys and certificates again while the hub runs: on SIGHUP, and when a file with keys or certificates has
//! changed. On SIGHUP, the JWK sets are fetched again, too.
//!
//! The whole configuration is read again, but only its keys and certificates are used. All new keys replace the old keys
//! at once. If something is wrong, nothing is replaced, and a log message says why. Files are checked every few seconds rather than
//! watched, because orchestrators change mounted files through symbolic links, and network file systems do not report
//! changes.
use super::{hangups::Hangups, parts};
use crate::{
    config::{self, ConfigError, Merged, ServeSettings},
    keys::KeyRing,
};
use clap::ArgMatches;
use fanfare_server::{auth::KeyStore, tls::Certificates};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tokio::time::{MissedTickBehavior, interval};

/// The time between two checks of the files with keys.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// The options that are read again. Changes of other options need a restart.
const RELOADED: [&str; 14] = [
    "key",
    "jwks",
    "algorithm",
    "publisher-key",
    "publisher-jwks",
    "publisher-algorithm",
    "subscriber-key",
    "subscriber-jwks",
    "subscriber-algorithm",
    "issuer",
    "allow-short-keys",
    "key-file",
    "tls-cert",
    "tls-key",
];

/// The arguments and the file that the configuration comes from.
#[derive(Clone)]
pub(super) struct Origin {
    pub(super) given: ArgMatches,
    pub(super) file: Option<PathBuf>,
}

/// The values that are needed to read the keys again.
pub(super) struct Reload {
    origin: Origin,
    merged: Merged,
    ring: KeyRing,
    keys: KeyStore,
    /// The certificates; `None` if the hub serves HTTP.
    certificates: Option<Certificates>,
    was_open: bool,
    stamps: Vec<Stamp>,
}

/// The time at which a file was last changed, and its length; `None` if they cannot be read, for example because the
/// file does not exist.
type Stamp = Option<(SystemTime, u64)>;

/// The reason why the new keys are not used.
enum ReloadError {
    Config(ConfigError),
    /// The hub had keys and would now have no keys, or had no keys and would now have some.
    Opened,
    /// The hub served HTTPS and would now serve HTTP, or the other way round.
    Tls,
}

impl Reload {
    pub(super) fn new(
        origin: Origin,
        merged: Merged,
        ring: KeyRing,
        keys: KeyStore,
        certificates: Option<Certificates>,
        was_open: bool,
    ) -> Self {
        let stamps = stamps(&merged);
        Self { origin, merged, ring, keys, certificates, was_open, stamps }
    }

    /// Reads the keys again on each SIGHUP, and when a file with keys has changed. Never returns.
    pub(super) async fn run(mut self, mut hangups: Hangups) {
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = hangups.next() => {
                    tracing::info!("SIGHUP: reading the keys and certificates again");
                    self.ring.fetch_again();
                }
                _ = looks.tick() => {
                    let now = stamps(&self.merged);
                    if now == self.stamps {
                        continue;
                    }
                    self.stamps = now;
                    tracing::info!("a file has changed: reading the keys and certificates again");
                }
            }
            match self.read() {
                Ok(()) => tracing::info!("the keys and certificates were read again"),
                Err(error) => {
                    tracing::error!("the keys and certificates were not read again, the old ones stay in use: {error}");
                }
            }
        }
    }

    /// Reads the keys again. Reading the files blocks the thread, which is acceptable, because the files are small and
    /// seldom read.
    fn read(&mut self) -> Result<(), ReloadError> {
        let merged = config::merge(&self.origin.given, self.origin.file.as_deref())?;
        let settings = ServeSettings::resolve(&merged)?;
        if settings.is_open() != self.was_open {
            return Err(ReloadError::Opened);
        }
        // Everything is read before anything is replaced.
        let (keys, certificates) = (self.ring.trusted(&settings)?, parts::certificates(&settings)?);
        if certificates.is_empty() != self.certificates.is_none() {
            return Err(ReloadError::Tls);
        }
        self.keys.replace(keys);
        if let Some(current) = &self.certificates {
            current.replace(certificates);
        }
        settings.warnings(&merged).iter().for_each(|warning| tracing::warn!("{warning}"));
        let changed = changed(&self.merged, &merged);
        if !changed.is_empty() {
            tracing::warn!(
                "only keys and certificates are read again; restart the hub to apply the other changes: {}",
                changed.join(", ")
            );
        }
        self.stamps = stamps(&merged);
        self.merged = merged;
        Ok(())
    }
}

/// Returns the options that have changed, but are not read again.
fn changed(old: &Merged, new: &Merged) -> Vec<String> {
    let keys = old.values.keys().chain(new.values.keys().filter(|key| !old.values.contains_key(*key)));
    let others = keys.filter(|key| !RELOADED.contains(&key.as_str()));
    others.filter(|key| old.values.get(*key) != new.values.get(*key)).cloned().collect()
}

fn stamps(merged: &Merged) -> Vec<Stamp> {
    merged.key_files.iter().chain(&merged.certificate_files).map(|path| stamp(path)).collect()
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

impl From<ConfigError> for ReloadError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl std::fmt::Display for ReloadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Opened => f.write_str("a running hub cannot lose all its keys, or get its first one: restart it"),
            Self::Tls => f.write_str("a running hub cannot change between HTTP and HTTPS: restart it"),
        }
    }
}
