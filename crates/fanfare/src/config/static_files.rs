//! Checks that no private file is in the directory of static files, where everybody can read everything.
use super::{ConfigError, Merged, options::ServeSettings};
use std::{
    fs::{self, Metadata},
    path::{Path, PathBuf, absolute},
};

/// Checks that no private file of the hub (data, keys, tokens, the configuration) is inside the static directory, and
/// that the static directory is not inside the data directory. Symbolic links in the paths are resolved first.
///
/// # Errors
/// [`ConfigError`] for the first of these paths that is in the wrong directory, and if the static directory or its
/// fallback file cannot be used.
pub(super) fn check(settings: &ServeSettings, merged: &Merged) -> Result<(), ConfigError> {
    let Some(directory) = &settings.r#static else {
        return match &settings.fallback {
            Some(_) => Err(ConfigError::FallbackWithoutStatic),
            None => Ok(()),
        };
    };
    if !directory.is_dir() {
        return Err(ConfigError::StaticDirectory { path: directory.clone() });
    }
    let exposed =
        |what, path: &Path| ConfigError::Exposed { what, path: path.to_owned(), directory: directory.clone() };
    for (what, path) in secrets(settings, merged) {
        if lies_in(path, directory) {
            return Err(exposed(what, path));
        }
    }
    if settings.data.is_dir() && lies_in(directory, &settings.data) {
        return Err(ConfigError::StaticInData { directory: directory.clone(), data: settings.data.clone() });
    }
    if let Some(name) = &settings.fallback {
        let unfit = |error| ConfigError::Fallback { name: name.clone(), directory: directory.clone(), error };
        fanfare_server::files::check(directory, name).map_err(unfit)?;
    }
    Ok(())
}

/// Returns the paths of the private files and directories of the hub, each with the word that messages use for its
/// content.
fn secrets<'a>(settings: &'a ServeSettings, merged: &'a Merged) -> impl Iterator<Item = (&'static str, &'a Path)> {
    // With the log in memory, the data directory is not used, but it may contain private files from an earlier run.
    let data = (!settings.memory || settings.data.exists()).then_some(("data", settings.data.as_path()));
    let configuration = merged.config_file.iter().map(|path| ("configuration", path.as_path()));
    let keys = merged.key_files.iter().map(|path| ("key", path.as_path()));
    let relays = settings.relays();
    let tokens = relays.filter_map(|relay| Some(("token", relay.token_file.as_deref()?)));
    data.into_iter().chain(configuration).chain(keys).chain(tokens)
}

/// Returns true if `path`, or the target of the link at `path`, is inside `directory` or is `directory` itself.
fn lies_in(path: &Path, directory: &Path) -> bool {
    let Ok(directory) = directory.canonicalize() else { return false };
    let wanted = fs::metadata(&directory).ok();
    let is_it = |ancestor: &Path| {
        let known = || Some(is_same(&fs::metadata(ancestor).ok()?, wanted.as_ref()?));
        ancestor == directory || known().unwrap_or(false)
    };
    // If `path` is a symbolic link, neither its target nor the link itself may be inside the directory.
    let places = [resolved(path), path.parent().and_then(resolved)];
    places.into_iter().flatten().any(|place| place.ancestors().any(is_it))
}

/// Returns the absolute path with its symbolic links resolved. The last components of the path need not exist.
fn resolved(path: &Path) -> Option<PathBuf> {
    let path = absolute(if path.as_os_str().is_empty() { Path::new(".") } else { path }).ok()?;
    let found = path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    let (existing, canonical) = found?;
    let rest = path.strip_prefix(existing).ok()?;
    Some(if rest.as_os_str().is_empty() { canonical } else { canonical.join(rest) })
}

/// Returns true if `one` and `other` are the metadata of the same directory, even if the directory is mounted in two
/// places or its path can be written in two ways.
#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    false
}
