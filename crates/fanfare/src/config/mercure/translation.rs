//! The translation of a Mercure hub's environment: layers, and what could not be translated.
use crate::config::{error::ConfigError, layer::Layer};

/// The configuration that the environment gives.
#[derive(Debug, Default)]
pub(in crate::config) struct Translation {
    /// A layer for each thing that was understood.
    pub(in crate::config) layers: Vec<Layer>,
    pub(super) warnings: Vec<String>,
    pub(super) refusals: Vec<Refusal>,
}

/// Something that was asked for and cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The option that would say what to do instead; empty if there is none.
    pub(super) key: &'static str,
    pub(super) place: String,
    pub(super) reason: String,
}

/// Reads a variable of the environment.
pub(super) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Translation {
    /// The warnings, if nothing was refused that none of the layers with these keys makes up for.
    ///
    /// # Errors
    /// [`ConfigError::Mercure`] for the first refusal.
    pub(in crate::config) fn heed(&self, given: &[&str]) -> Result<Vec<String>, ConfigError> {
        match self.refusals.iter().find(|refusal| !given.contains(&refusal.key)) {
            Some(Refusal { place, reason, .. }) => {
                Err(ConfigError::Mercure { place: place.clone(), reason: reason.clone() })
            }
            None => Ok(self.warnings.clone()),
        }
    }
}
