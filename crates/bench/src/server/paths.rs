//! The paths of other programs, and paths in the syntax of their configurations.
use std::{
    env,
    path::{Path, PathBuf},
};

/// Returns the path of the program with this name.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    // Debian installs servers in a directory that is only on root's path.
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    directories.map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// Returns `path` in the syntax of other programs' configuration files.
pub(super) fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display())
}
