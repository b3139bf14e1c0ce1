//! The target of a backup, and the directory beside it in which the backup is made.
use super::{
    backup_error::BackupError,
    directory::{self, Directory},
    end_mark::EndMark,
    identity, presence_file,
};
use crate::log::LogError;
use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// The suffix of the name of the directory in which a backup is made.
const PARTIAL: &str = ".partial";

/// The target directory of a backup, and the directory in which it is made.
pub(super) struct Place {
    to: PathBuf,
    partial: PathBuf,
}

impl Place {
    /// Checks that a backup of the log in `from` can be made at `to`.
    pub(super) fn of(to: &Path, from: &Path) -> Result<Self, BackupError> {
        // A `/` or `/.` at the end is left out: `DIR/` and `DIR/.` name the same directory as `DIR`.
        let to: PathBuf = to.components().collect();
        let Some(name) = to.file_name() else { return Err(BackupError::NotEmpty(to)) };
        let parent = match to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => parent.to_owned(),
            None => PathBuf::from("."),
        };
        let parent_metadata = fs::metadata(&parent).map_err(BackupError::of(&parent))?;
        match to.symlink_metadata() {
            Ok(metadata) if !metadata.is_dir() => return Err(BackupError::NotEmpty(to)),
            Ok(metadata) if metadata.dev() != parent_metadata.dev() => return Err(BackupError::MountPoint(to)),
            Ok(_) if fs::read_dir(&to).map_err(BackupError::of(&to))?.next().is_some() => {
                return Err(BackupError::NotEmpty(to));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(BackupError::of(&to)(error)),
            _ => {}
        }
        if is_within(&parent, from).map_err(BackupError::of(&parent))? {
            return Err(BackupError::Within(to));
        }
        let mut partial = name.to_owned();
        partial.push(PARTIAL);
        Ok(Self { partial: parent.join(partial), to })
    }

    /// Makes the directory in which the backup is made, and removes the files that a killed backup has left in it.
    pub(super) fn begin(&self) -> Result<Directory, BackupError> {
        // A link is not followed: in a parent directory where every user may write, another user may have made it.
        if self.partial.is_symlink() {
            return Err(BackupError::Occupied(self.partial.clone()));
        }
        let partial = Directory::open(&self.partial).map_err(|error| match error {
            LogError::InUse => BackupError::InUse(self.partial.clone()),
            LogError::Io(error) => BackupError::of(&self.partial)(error),
            _ => BackupError::Occupied(self.partial.clone()),
        })?;
        directory::keep_others_out(&self.partial).map_err(BackupError::of(&self.partial))?;
        let left: Vec<_> =
            fs::read_dir(&self.partial).and_then(Iterator::collect).map_err(BackupError::of(&self.partial))?;
        let is_ours = |file: &fs::DirEntry| file.file_name().to_str().is_some_and(is_of_log);
        if !left.iter().all(is_ours) {
            return Err(BackupError::Occupied(self.partial.clone()));
        }
        for file in left {
            fs::remove_file(file.path()).map_err(BackupError::of(file.path()))?;
        }
        Ok(partial)
    }

    /// Gives the directory with the finished backup the name of the target.
    pub(super) fn take(&self, made: Directory) -> Result<(), BackupError> {
        let named = fs::rename(&self.partial, &self.to).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => BackupError::NotEmpty(self.to.clone()),
            _ => BackupError::of(&self.to)(error),
        });
        drop(made);
        named?;
        let parent = self.partial.parent().unwrap_or(Path::new("."));
        fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(BackupError::of(parent))
    }
}

/// True if `inner` is the directory `outer`, or is inside it.
fn is_within(inner: &Path, outer: &Path) -> io::Result<bool> {
    let (inner, outer) = (inner.canonicalize()?, outer.canonicalize()?);
    Ok(inner.starts_with(outer))
}

/// True if this is a name that a log gives to one of its files, finished or still being written.
fn is_of_log(name: &str) -> bool {
    let name = name.strip_suffix("-new").unwrap_or(name);
    [identity::NAME, EndMark::NAME, presence_file::NAME].contains(&name) || directory::is_of_segment(name)
}
