//! The files that must not lie in the directory of static files: everybody can read everything there.
use super::{ConfigError, Merged, options::ServeSettings};
use std::{
    fs::{self, Metadata},
    path::{Path, PathBuf, absolute},
};

/// Makes sure that no file of the hub's own, with data, keys, tokens or the configuration, lies in the static
/// directory, and that the directory does not lie in that of the data. Links are resolved first.
///
/// # Errors
/// [`ConfigError`] names the first that does.
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

/// Returns the files and directories that the hub keeps for itself, each with what it is.
fn secrets<'a>(settings: &'a ServeSettings, merged: &'a Merged) -> impl Iterator<Item = (&'static str, &'a Path)> {
    // With the log in memory, a directory may be there from before. The relays keep their state in it, too.
    let data = (!settings.memory || settings.data.exists()).then_some(("data", settings.data.as_path()));
    let configuration = merged.config_file.iter().map(|path| ("configuration", path.as_path()));
    let keys = merged.key_files.iter().map(|path| ("key", path.as_path()));
    let relays = settings.relay.iter().flatten();
    let tokens = relays.filter_map(|relay| Some(("token", relay.token_file.as_deref()?)));
    data.into_iter().chain(configuration).chain(keys).chain(tokens)
}

/// Returns true if `path`, or what it leads to, lies in `directory` or is that itself.
fn lies_in(path: &Path, directory: &Path) -> bool {
    let Ok(directory) = directory.canonicalize() else { return false };
    let wanted = fs::metadata(&directory).ok();
    let is_it = |ancestor: &Path| {
        let known = || Some(is_same(&fs::metadata(ancestor).ok()?, wanted.as_ref()?));
        ancestor == directory || known().unwrap_or(false)
    };
    // Where a link leads to, and where it is.
    let places = [resolved(path), path.parent().and_then(resolved)];
    places.into_iter().flatten().any(|place| place.ancestors().any(is_it))
}

/// The path without links, as far as it exists yet.
fn resolved(path: &Path) -> Option<PathBuf> {
    let path = absolute(if path.as_os_str().is_empty() { Path::new(".") } else { path }).ok()?;
    let found = path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    let (existing, canonical) = found?;
    let rest = path.strip_prefix(existing).ok()?;
    Some(if rest.as_os_str().is_empty() { canonical } else { canonical.join(rest) })
}

/// Returns true if both are one directory, also if it is mounted in two places or can be written in two ways.
#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, _: &Metadata) -> bool {
    false
}
