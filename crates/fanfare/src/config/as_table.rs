//! Options as a table of values by key.
use super::{error::ConfigError, options::ServeOptions};
use toml::Table;

/// Returns the values of `options` as a table by key. Each value has the form that the rest of the program reads.
///
/// # Errors
/// [`ConfigError::NotUnicode`] if a path or address is not UTF-8.
pub(super) fn table(options: &ServeOptions) -> Result<Table, ConfigError> {
    Table::try_from(options).map_err(ConfigError::NotUnicode)
}
