//! Secrets from files: `key-file` gives `key`. Each layer reads its own, so that a file named by a flag still goes before
//! a key of the environment.
use super::{ConfigError, layer::Source};
use std::fs;
use toml::{Table, Value};

const SUFFIX: &str = "-file";

/// Replaces each `…-file` in one layer by what the file holds.
///
/// # Errors
/// [`ConfigError`] if a file cannot be read, or if the layer also has the secret itself.
pub(super) fn read(values: &mut Table, source: &Source) -> Result<(), ConfigError> {
    let file_keys: Vec<String> = values.keys().filter(|key| key.ends_with(SUFFIX)).cloned().collect();
    for file_key in file_keys {
        let key = file_key.trim_end_matches(SUFFIX).to_owned();
        let Some(Value::String(path)) = values.remove(&file_key) else { continue };
        if values.contains_key(&key) {
            return Err(ConfigError::SecretTwice { key, place: source.clone() });
        }
        let text = fs::read_to_string(&path).map_err(|error| ConfigError::SecretFile {
            key: file_key,
            path: path.into(),
            error,
        })?;
        values.insert(key, Value::String(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    Ok(())
}
