//! Reads secrets from files: the content of the file that `key-file` names becomes the value of `key`. The files of
//! each layer are read before the layers are merged, so that a file named by a flag has priority over a key in the
//! environment.
use super::{error::ConfigError, layer::Source};
use fanfare_server::auth::MAX_SET_BYTES;
use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};
use toml::{Table, Value};

const SUFFIX: &str = "-file";

/// The size of the largest file with keys that is read, in bytes: the same as that of the largest JWK set.
const MAX_FILE_BYTES: u64 = MAX_SET_BYTES as u64;

/// Replaces each option `NAME-file` in one layer by the option `NAME` with the content of the file, also in the tables
/// of issuers. Returns the paths of the files.
///
/// # Errors
/// [`ConfigError`] if a file cannot be read, or if the layer also has the secret itself.
pub(super) fn read(values: &mut Table, source: &Source) -> Result<Vec<PathBuf>, ConfigError> {
    let mut files = Vec::new();
    for issuer in values.get_mut("issuer").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Table(issuer) = issuer {
            files.append(&mut read(issuer, source)?);
        }
    }
    let file_keys: Vec<String> = values.keys().filter(|key| key.ends_with(SUFFIX)).cloned().collect();
    for file_key in file_keys {
        let key = file_key.trim_end_matches(SUFFIX).to_owned();
        let Some(Value::String(path)) = values.remove(&file_key) else { continue };
        if values.contains_key(&key) {
            return Err(ConfigError::SecretTwice { key, place: source.clone() });
        }
        let path = PathBuf::from(path);
        let text = read_bounded(&path).map_err(|error| ConfigError::SecretFile {
            key: file_key,
            path: path.clone(),
            error,
        })?;
        values.insert(key, Value::String(text.trim_end_matches(['\r', '\n']).to_owned()));
        files.push(path);
    }
    Ok(files)
}

fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_FILE_BYTES { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}
