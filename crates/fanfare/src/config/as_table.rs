//! Options as a table of values by key.
use super::{error::ConfigError, options::ServeOptions};
use toml::Table;

/// Returns the values that `options` holds, each in the one form that the rest of the program knows.
///
/// # Errors
/// [`ConfigError::NotUnicode`].
pub(super) fn table(options: &ServeOptions) -> Result<Table, ConfigError> {
    Table::try_from(options).map_err(ConfigError::NotUnicode)
}
