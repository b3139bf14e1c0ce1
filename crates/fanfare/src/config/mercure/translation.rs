//! The result of translating the environment of a Mercure hub: layers of the configuration, warnings, and settings that
//! could not be translated.
use crate::config::{error::ConfigError, layer::Layer};

/// The result of translating the environment of a Mercure hub.
#[derive(Debug, Default)]
pub(in crate::config) struct Translation {
    /// A layer for each value that was translated.
    pub(in crate::config) layers: Vec<Layer>,
    pub(super) warnings: Vec<String>,
    pub(super) refusals: Vec<Refusal>,
}

/// A setting of a Mercure hub that asks for something that this hub cannot do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The key of the option that the user can give instead, such as `listen`. If it is given, the refusal is not an
    /// error. Empty if there is no such option.
    pub(super) key: &'static str,
    pub(super) place: String,
    pub(super) reason: String,
}

/// A function that returns the value of an environment variable.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Translation {
    /// Returns the warnings, if no refusal is an error. `given` has the keys of the options that the user gave: if the
    /// key of a refusal is among them, the refusal is not an error.
    ///
    /// # Errors
    /// [`ConfigError::Mercure`] for the first refusal whose key is not in `given`.
    pub(in crate::config) fn heed(&self, given: &[&str]) -> Result<Vec<String>, ConfigError> {
        match self.refusals.iter().find(|refusal| !given.contains(&refusal.key)) {
            Some(Refusal { place, reason, .. }) => {
                Err(ConfigError::Mercure { place: place.clone(), reason: reason.clone() })
            }
            None => Ok(self.warnings.clone()),
        }
    }
}
