//! The environment of a Mercure hub, as it stands in people's compose files, in our terms.
//!
//! Three kinds of variables are read: `MERCURE_…` and `SERVER_NAME`, which the reference hub's image takes; in
//! `MERCURE_EXTRA_DIRECTIVES` the directives of its configuration file ([`directive`]); and the bare names of the hub
//! before that (`JWT_KEY`, `ADDR`), which are so common that they count only beside a bare JWT key. Each becomes a layer of
//! its own, under our own variables and flags. What cannot be honoured is a warning if the hub does as well without it,
//! and otherwise a refusal, unless a layer above says what to do instead.
mod caddyfile;
mod directive;
mod translator;
mod transport;
mod variable;

use super::{ConfigError, keys, layer::Layer};
use translator::Translator;

/// The variables that say that the hub has keys.
pub(super) const KEY_VARIABLES: [&str; 3] =
    ["MERCURE_PUBLISHER_JWT_KEY", "MERCURE_SUBSCRIBER_JWT_KEY", "MERCURE_TRUSTED_ISSUERS"];

/// What the environment says.
#[derive(Debug, Default)]
pub(super) struct Translation {
    /// A layer for each thing that was understood.
    pub(super) layers: Vec<Layer>,
    warnings: Vec<String>,
    refusals: Vec<Refusal>,
}

/// Something that was asked for and cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refusal {
    /// The option that would say what to do instead; empty if there is none.
    key: &'static str,
    place: String,
    reason: String,
}

/// Reads a variable of the environment.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Translates all variables that are there. Beside these of our own options (`given`), bare names count only if there are
/// no keys among them: then they are another program's.
pub(super) fn translate(environment: Environment<'_>, given: &[&str]) -> Translation {
    let mut translator = Translator::new(environment);
    variable::translate(&mut translator, given.iter().any(|key| keys::OPTIONS.contains(key)));
    translator.finish()
}

impl Translation {
    /// The warnings, if nothing was refused that none of the layers with these keys makes up for.
    ///
    /// # Errors
    /// [`ConfigError::Mercure`] for the first refusal.
    pub(super) fn heed(&self, given: &[&str]) -> Result<Vec<String>, ConfigError> {
        match self.refusals.iter().find(|refusal| !given.contains(&refusal.key)) {
            Some(Refusal { place, reason, .. }) => {
                Err(ConfigError::Mercure { place: place.clone(), reason: reason.clone() })
            }
            None => Ok(self.warnings.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
