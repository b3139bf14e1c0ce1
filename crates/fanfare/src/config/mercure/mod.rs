//! Translates the environment of a Mercure hub, as compose files have it, into Fanfare's options.
//!
//! Three kinds of variables are read: `MERCURE_…` and `SERVER_NAME`, which the image of the reference hub takes; the
//! directives of its configuration file in `MERCURE_EXTRA_DIRECTIVES` ([`directive`]); and the names without a prefix
//! of the hub's earlier versions (`JWT_KEY`, `ADDR`). The names without a prefix are so common that they count only
//! together with a JWT key. Each value becomes a layer below our own variables and flags. Something that the hub cannot
//! do causes a warning if the hub works as well without it. Otherwise it is an error, unless a layer above says what to
//! do instead.
mod caddyfile;
mod directive;
mod translation;
mod translator;
mod transport;
mod variable;

use super::keys;
use translation::{Environment, Translation};
use translator::Translator;

/// The variables that give keys to a Mercure hub.
pub(super) const KEY_VARIABLES: [&str; 3] =
    ["MERCURE_PUBLISHER_JWT_KEY", "MERCURE_SUBSCRIBER_JWT_KEY", "MERCURE_TRUSTED_ISSUERS"];

/// Translates all variables that are set. `given` has the keys of our own options that are given. If one of these
/// options gives the hub keys, names without a prefix have no effect: they belong to another program.
pub(super) fn translate(environment: Environment<'_>, given: &[&str]) -> Translation {
    let mut translator = Translator::new(environment);
    variable::translate(&mut translator, given.iter().any(|key| keys::OPTIONS.contains(key)));
    translator.finish()
}

#[cfg(test)]
mod tests;
