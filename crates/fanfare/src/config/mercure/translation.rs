//! The translation of a Mercure hub's environment: layers, and what could not be translated.
use crate::config::{error::ConfigError, layer::Layer};

/// The configuration that the environment gives.
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
    /// The key of the option that the user can give instead, so that this is not an error, such as `listen`; empty if
    /// there is no such option.
    pub(super) key: &'static str,
    pub(super) place: String,
    pub(super) reason: String,
}

/// A function that returns the value of an environment variable.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Translation {
    /// Returns the warnings, if for each refusal `given` contains the option that the user can give instead.
    ///
    /// # Errors
    /// [`ConfigError::Mercure`] for the first refusal whose option is not in `given`.
    pub(in crate::config) fn heed(&self, given: &[&str]) -> Result<Vec<String>, ConfigError> {
        match self.refusals.iter().find(|refusal| !given.contains(&refusal.key)) {
            Some(Refusal { place, reason, .. }) => {
                Err(ConfigError::Mercure { place: place.clone(), reason: reason.clone() })
            }
            None => Ok(self.warnings.clone()),
        }
    }
}
