//! Makes the settings from the merged layers. Checks that the values are within their bounds and that they fit
//! together.
use super::{
    ConfigError,
    layer::Source,
    merge::Merged,
    options::{ServeSettings, definition},
    static_files,
};
use fanfare_server::auth::Key;

impl ServeSettings {
    /// Makes the settings from the merged layers, if the values are within their bounds and fit together.
    ///
    /// # Errors
    /// [`ConfigError`] says which value is at fault and where it comes from.
    pub(crate) fn resolve(merged: &Merged) -> Result<Self, ConfigError> {
        check_bounds(merged)?;
        let settings: Self = merged.values.clone().try_into().expect("each layer was parsed into these types");
        settings.check_access(merged)?;
        settings.check_relays()?;
        settings.certificates()?;
        static_files::check(&settings, merged)?;
        Ok(settings)
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
        let is_public = !self.listen.0.ip().to_canonical().is_loopback();
        for material in hub.iter().chain(issuers.iter().flat_map(|issuer| issuer.keys.iter())) {
            let keys = material.read().map_err(|error| placed(error, merged))?;
            if is_public && keys.iter().any(Key::is_sample) {
                let (name, listen) = (material.name.clone(), self.listen.0);
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
            (false, false) if is_public => Err(ConfigError::NoKeys { listen: self.listen.0 }),
            (false, true) => Err(ConfigError::NobodyPublishes),
            (true, false) if !self.anonymous => Err(ConfigError::NobodySubscribes),
            _ => Ok(()),
        }
    }

    fn check_relays(&self) -> Result<(), ConfigError> {
        for (index, relay) in self.relays().enumerate() {
            // Relays with the same file name would save their state in the same file.
            if self.relays().take(index).any(|other| other.file_name() == relay.file_name()) {
                return Err(ConfigError::RelayTwice { url: relay.shown_url() });
            }
        }
        Ok(())
    }
}

/// Adds the place where a key was configured to an error about this key. The key of an issuer was configured with the
/// option `issuer`.
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
        let Some(bound) = definition(key).and_then(|definition| definition.bound) else { continue };
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if !bound.admits(&text) {
            return Err(ConfigError::OutOfBounds { key: key.clone(), bound, text, place: merged.source(key) });
        }
    }
    Ok(())
}
