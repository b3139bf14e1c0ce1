//! Translates the environment variables of a Mercure hub, as its Compose files set them, into Fanfare's options.
//!
//! Three kinds of variables are read: `MERCURE_…` and `SERVER_NAME`, which the container image of the reference hub
//! reads; the directives of its configuration file in `MERCURE_EXTRA_DIRECTIVES` ([`directive`]); and the names without
//! a prefix of the hub's earlier versions (`JWT_KEY`, `ADDR`). The names without a prefix are so common that they are
//! read only if one of them gives a JWT key. Each value becomes a layer of the configuration, with a lower priority
//! than our own variables and flags. A setting that this hub does not have causes a warning if the hub works as well
//! without it. Otherwise it is an error, unless the user also gives the option of ours that takes its place.
mod caddyfile;
mod directive;
mod translation;
mod translator;
mod transport;
mod variable;

use super::keys;
use translation::{Environment, Translation};
use translator::Translator;

/// The variables that give keys to a Mercure hub, without those of its earlier versions.
pub(super) const KEY_VARIABLES: [&str; 3] =
    ["MERCURE_PUBLISHER_JWT_KEY", "MERCURE_SUBSCRIBER_JWT_KEY", "MERCURE_TRUSTED_ISSUERS"];

/// Translates all variables that are set. `given` contains the keys of our own options that a user has given. If one of
/// these options gives the hub keys, variables without a prefix have no effect: they probably belong to another
/// program.
pub(super) fn translate(environment: Environment<'_>, given: &[&str]) -> Translation {
    let mut translator = Translator::new(environment);
    variable::translate(&mut translator, given.iter().any(|key| keys::OPTIONS.contains(key)));
    translator.finish()
}

#[cfg(test)]
mod tests;
