//! Programs of others, and paths as their configurations have them.
use std::{
    env,
    path::{Path, PathBuf},
};

/// The program of this name on the path.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    // Debian keeps servers where only root looks.
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    directories.map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// `path` as configuration files of others take it.
pub(super) fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.display())
}
