//! Converts options into a table: the key of each option with its value.
use super::{error::ConfigError, options::ServeOptions};
use toml::Table;

/// Returns a table with the key and the value of each option that `options` has. Each value is in the one form that the
/// program writes, even if the user gave it in another form.
///
/// # Errors
/// [`ConfigError::NotUnicode`] if a path or address is not UTF-8.
pub(super) fn table(options: &ServeOptions) -> Result<Table, ConfigError> {
    Table::try_from(options).map_err(ConfigError::NotUnicode)
}
