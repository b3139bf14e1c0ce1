//! The environment of a Mercure hub, as it stands in people's compose files, in our terms.
//!
//! Three kinds of variables are read: `MERCURE_…` and `SERVER_NAME`, which the reference hub's image takes; in
//! `MERCURE_EXTRA_DIRECTIVES` the directives of its configuration file ([`directive`]); and the bare names of the hub
//! before that (`JWT_KEY`, `ADDR`), which are so common that they count only beside a bare JWT key. Each becomes a
//! layer of its own, under our own variables and flags. What cannot be honoured is a warning if the hub does as well
//! without it, and otherwise a refusal, unless a layer above says what to do instead.
mod caddyfile;
mod directive;
mod translation;
mod translator;
mod transport;
mod variable;

use super::keys;
use translation::{Environment, Translation};
use translator::Translator;

/// The variables that say that the hub has keys.
pub(super) const KEY_VARIABLES: [&str; 3] =
    ["MERCURE_PUBLISHER_JWT_KEY", "MERCURE_SUBSCRIBER_JWT_KEY", "MERCURE_TRUSTED_ISSUERS"];

/// Translates all variables that are there. Beside these of our own options (`given`), bare names count only if there
/// are no keys among them: then they are another program's.
pub(super) fn translate(environment: Environment<'_>, given: &[&str]) -> Translation {
    let mut translator = Translator::new(environment);
    variable::translate(&mut translator, given.iter().any(|key| keys::OPTIONS.contains(key)));
    translator.finish()
}

#[cfg(test)]
mod tests;
