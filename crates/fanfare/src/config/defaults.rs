//! The built-in values.
use toml::Table;

/// Returns the values of `defaults.toml`.
pub(crate) fn defaults() -> Table {
    toml::from_str(include_str!("defaults.toml")).expect("defaults.toml is built in and tested")
}
