//! The configuration of `fanfare serve`, from flags, environment, file and defaults, in this order of priority.
//!
//! [`options`] defines each option once, for flags, environment, file, help and documents ([`mod@example`],
//! [`mod@reference`]). [`mod@merge`] merges the values of all sources as tables, without knowing any option by name.
//! [`mercure`] translates the environment of a Mercure hub into these options. [`settings`] has the result: the
//! settings, which are checked and complete.
mod alias;
mod as_table;
mod as_text;
mod bound;
mod check;
mod cookie_name;
mod define;
mod definition;
mod delivery;
mod described;
mod error;
mod example;
mod file;
mod file_access;
mod help;
mod issuer;
mod key_path;
mod keys;
mod layer;
mod list;
mod listen;
mod log_filter;
mod mercure;
mod merge;
mod options;
mod origin;
mod public_url;
mod reference;
mod relay;
mod resolve;
mod retention;
mod secret_file;
mod settings;
mod static_files;
mod suggest;
mod switch;
mod tls;
mod variables;
mod words;

pub(crate) use as_text::AsText;
pub(crate) use check::Effective;
pub(crate) use error::ConfigError;
pub(crate) use example::example;
pub(crate) use help::document;
pub(crate) use key_path::shown_key_path;
pub(crate) use keys::{KeyMaterial, KeyPair};
pub(crate) use merge::{Merged, merge};
pub(crate) use options::{ServeOptions, ServeSettings};
pub(crate) use reference::reference;
pub(crate) use relay::Relay;
pub(crate) use retention::RetentionRule;
pub(crate) use settings::Storage;
pub(crate) use variables::{UnknownVariable, check as check_variables, without_empty};

/// Returns the settings that apply if no option is given.
#[cfg(test)]
pub(crate) fn default_settings() -> ServeSettings {
    use clap::{Args as _, Command};
    let nothing_given = ServeOptions::augment_args(Command::new("serve")).get_matches_from(["serve"]);
    ServeSettings::resolve(&merge(&nothing_given, None).expect("no file")).expect("the defaults fit together")
}
