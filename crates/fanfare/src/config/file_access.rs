//! Files that the hub trusts, and whether others than its owner can change them. Who can write into a file with a key
//! has a key of their own, and who can replace it does too.
//!
//! Of a directory it is told only if everybody may write into it and remove what others have put there. One that a
//! group may write into is as a rule its administrators' own, and a user's own group where it is made by `umask 002`.
use std::{fs, path::Path};

const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// The mode bit of a directory in which nobody replaces what is somebody else's.
const STICKY: u32 = 0o1000;

/// Returns what to tell of `path`, a file with `what`, if others can change it.
pub(super) fn warning(what: &str, path: &Path) -> Option<String> {
    let who = |mode: u32| match mode {
        _ if mode & OTHERS_WRITE != 0 => Some("every user of this machine"),
        _ if mode & GROUP_WRITES != 0 => Some("its group"),
        _ => None,
    };
    let shown = path.display();
    if let Some(who) = who(mode(path)?) {
        return Some(format!("{shown} holds {what}, and {who} can change it: chmod go-w {shown}"));
    }
    // Where the file itself is, if this is a link to it.
    let real = fs::canonicalize(path).ok()?;
    [path, &real].into_iter().find_map(|file| {
        let directory = file.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mode = mode(directory)?;
        let shown_directory = directory.display();
        (mode & OTHERS_WRITE != 0 && mode & STICKY == 0).then(|| {
            format!(
                "{shown} holds {what}, and every user of this machine can replace it: chmod go-w {shown_directory}, the \
                 directory that it is in"
            )
        })
    })
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(fs::metadata(path).ok()?.permissions().mode())
}

/// Other systems have other rules.
#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}
