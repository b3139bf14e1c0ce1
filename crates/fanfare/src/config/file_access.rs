//! Warns if users other than the owner can change a file with keys, tokens or the configuration. A user who can write
//! to such a file, or replace it, can give the hub a key of their own.
//!
//! The directory of the file causes a warning only if every user may write to it and remove the files of others. A
//! directory that only its owner and its group may write to causes no warning: usually, the members of such a group are
//! administrators, or the owner is the only member (on systems with `umask 002`).
use std::{fs, path::Path};

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// The mode bit of a directory in which users cannot replace the files of other users.
const STICKY: u32 = 0o1000;

/// Returns a warning if users other than the owner can change the file `path`. In the warning, `what` names the content
/// of the file.
pub(super) fn warning(what: &str, path: &Path) -> Option<String> {
    let who = |mode: u32| match mode {
        _ if mode & OTHERS_WRITE != 0 => Some("every user of this machine"),
        _ if mode & GROUP_WRITES != 0 => Some("its group"),
        _ => None,
    };
    let shown = path.display();
    if let Some(who) = who(mode(path)?) {
        return Some(format!("{shown} contains {what}, and {who} can change it: run chmod go-w {shown}"));
    }
    // If `path` is a symbolic link, whoever can write to the directory of its target can replace the file too.
    let real = fs::canonicalize(path).ok()?;
    [path, &real].into_iter().find_map(|file| {
        let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mode = mode(directory)?;
        let shown_directory = directory.display();
        (mode & OTHERS_WRITE != 0 && mode & STICKY == 0).then(|| {
            format!(
                "{shown} contains {what}, and every user of this machine can replace it: run chmod go-w \
                 {shown_directory}, the directory of the file"
            )
        })
    })
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(fs::metadata(path).ok()?.permissions().mode())
}

/// Returns `None`: only Unix has mode bits.
#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}
