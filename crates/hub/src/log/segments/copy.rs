//! Copies the files of a log: as a hard link where links are possible, and byte by byte where they are not. A copy is
//! durable when the function returns.
use super::{backup_error::BackupError, directory, frames::end_of_frames, head::segment_seed, open_files::read_head};
use crate::position::Offset;
use std::{
    fs::{self, File},
    io,
    ops::AddAssign,
    path::Path,
};

/// The number of bytes in linked files, and the number of bytes that were copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Copied {
    pub(super) linked: u64,
    pub(super) copied: u64,
}

impl Copied {
    pub(super) fn bytes(self) -> u64 {
        self.linked + self.copied
    }
}

impl AddAssign for Copied {
    fn add_assign(&mut self, more: Self) {
        self.linked += more.linked;
        self.copied += more.copied;
    }
}

/// Links a file that never changes, or copies it where links are not possible. Returns the number of bytes and the
/// opened file; `None` if there is no such file.
pub(super) fn link_and_open(from: &Path, to: &Path) -> Result<Option<(Copied, File)>, BackupError> {
    match fs::hard_link(from, to) {
        Ok(()) => {
            let file = File::open(to).map_err(BackupError::of(to))?;
            file.sync_all().map_err(BackupError::of(to))?;
            let linked = file.metadata().map_err(BackupError::of(to))?.len();
            #[cfg(test)]
            tests::taken(from);
            return Ok(Some((Copied { linked, copied: 0 }, file)));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && from.symlink_metadata().is_err() => return Ok(None),
        // Linking fails if `to` is on another file system, if the file system has no links, or if the file has too
        // many.
        Err(_) => {}
    }
    let Some(file) = open(from)? else { return Ok(None) };
    let copied = copy(&file, to, u64::MAX)?;
    Ok(Some((Copied { linked: 0, copied }, file)))
}

/// Copies the active segment up to its last complete frame. A damaged frame is copied too if it has no offset after
/// `known`, because then it was in the log when the backup began. Returns the number of bytes and the opened file;
/// `None` if there is no such file.
pub(super) fn written(
    from: &Path,
    to: &Path,
    first: Offset,
    known: Offset,
) -> Result<Option<(Copied, File)>, BackupError> {
    let Some(file) = open(from)? else { return Ok(None) };
    let head = read_head(&file).map_err(BackupError::of(from))?;
    let end = match head {
        Some((head, bytes)) => {
            let seed = segment_seed(&head.log, first);
            end_of_frames(&file, bytes as u64, seed, known).map_err(BackupError::of(from))?
        }
        // The head is damaged. The whole file is copied, so that its records may be recovered later.
        None => u64::MAX,
    };
    let copied = copy(&file, to, end)?;
    Ok(Some((Copied { linked: 0, copied }, file)))
}

/// Removes a file, if it exists.
pub(super) fn remove(path: &Path) -> Result<(), BackupError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BackupError::of(path)(error)),
        _ => Ok(()),
    }
}

fn open(path: &Path) -> Result<Option<File>, BackupError> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BackupError::From(error.into())),
    }
}

fn copy(file: &File, to: &Path, most: u64) -> Result<u64, BackupError> {
    let copied = || {
        let mut copy = directory::create(to)?;
        let bytes = io::copy(&mut io::Read::take(file, most), &mut copy)?;
        copy.sync_all()?;
        Ok(bytes)
    };
    copied().map_err(BackupError::of(to))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::cell::RefCell;

    type Hook = Box<dyn FnMut(&Path)>;

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// Calls `hook` each time this thread has linked a file.
    pub(in crate::log::segments) fn after_each_link(hook: impl FnMut(&Path) + 'static) {
        HOOK.set(Some(Box::new(hook)));
    }

    pub(super) fn taken(from: &Path) {
        let hook = HOOK.take();
        HOOK.set(hook.map(|mut hook| {
            hook(from);
            hook
        }));
    }
}
