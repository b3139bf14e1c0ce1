//! The directory of a log: the names of its files, their access rights, and the lock that one process holds on it.
use crate::{log::LogError, position::Offset};
use std::{
    fs::{self, DirBuilder, File, Permissions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// The access rights of a log's directory. `FILE_MODE` has the access rights of the files in it.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// The highest offset that is accepted. No log grows so large, so a file that contains a higher offset was not written
/// by Fanfare.
pub(super) const MAX_OFFSET: Offset = Offset(1 << 62);
/// The size of the largest file that is read as a whole, in bytes. A list of erased updates is much smaller: it has 16
/// bytes for each erased update of one segment.
pub(super) const MAX_WHOLE_BYTES: u64 = 256 << 20;
/// The names of files that only a log of an earlier version has.
const OLD_FILES: [&str; 2] = ["log.redb", "log.journal"];

/// The directory of a log.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// The opened directory. If this process writes to the log, it has locked the directory itself and not a file in
    /// it. So no other process can lock it, even if files are removed.
    handle: File,
    is_locked: bool,
}

/// The reason why a file was not created or replaced.
#[derive(Debug)]
pub(super) enum PutError {
    /// The new file could not be synced.
    Sync(io::Error),
    /// Another step failed.
    Other(io::Error),
}

impl From<io::Error> for PutError {
    fn from(error: io::Error) -> Self {
        Self::Other(error)
    }
}

impl From<PutError> for io::Error {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Sync(error) | PutError::Other(error) => error,
        }
    }
}

/// The kinds of files of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// The frames of the segment.
    Log,
    /// The index of the segment.
    Index,
    /// The hashes of all publishers' IDs that the segment ever had. This file is kept longer than the segment.
    Ids,
    /// The offsets of the erased updates of the segment. The file exists until the segment is rewritten.
    Erased,
}

impl Kind {
    fn extension(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Index => "index",
            Self::Ids => "ids",
            Self::Erased => "erased",
        }
    }

    /// Returns the name of the file of this kind for the segment that begins with `first`.
    pub(super) fn name_of(self, first: Offset) -> String {
        format!("{:016x}.{}", first.0, self.extension())
    }
}

impl Directory {
    /// Opens the directory to write in it, and creates it if it does not exist.
    ///
    /// # Errors
    /// [`LogError::InUse`] if another process has locked the directory, [`LogError::OldFormat`] if it has a log of an
    /// earlier version, [`LogError::Io`] if the file system returns an error.
    pub(super) fn open(path: &Path) -> Result<Self, LogError> {
        make(path)?;
        let handle = File::open(path)?;
        handle.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => LogError::InUse,
            TryLockError::Error(error) => LogError::Io(error),
        })?;
        let directory = Self { path: path.into(), handle, is_locked: true };
        directory.refuse_old()?;
        let mode = directory.handle.metadata()?.permissions().mode();
        if mode & 0o077 != 0 {
            tracing::warn!(
                "other users can read the log's directory {} (mode {:03o}); run chmod 700 on it",
                path.display(),
                mode & 0o777
            );
        }
        Ok(directory)
    }

    /// Opens the directory only to read, even while another process writes in it.
    ///
    /// # Errors
    /// [`LogError::OldFormat`] if the directory has a log of an earlier version, [`LogError::Io`] if the file system
    /// returns an error.
    pub(super) fn look_into(path: &Path) -> Result<Self, LogError> {
        let directory = Self { path: path.into(), handle: File::open(path)?, is_locked: false };
        // This returns an error early if the path is not a directory.
        fs::read_dir(path)?;
        directory.refuse_old()?;
        Ok(directory)
    }

    /// True if this process has locked the directory, so that it may write in it.
    pub(super) fn is_locked(&self) -> bool {
        self.is_locked
    }

    fn refuse_old(&self) -> Result<(), LogError> {
        for name in OLD_FILES {
            let file = self.path.join(name);
            if file.symlink_metadata().is_ok() {
                return Err(LogError::OldFormat(file));
            }
        }
        Ok(())
    }

    /// The path of the directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The path of the file with this name in the directory. The file does not belong to a segment.
    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The path of a segment's file.
    pub(super) fn file(&self, first: Offset, kind: Kind) -> PathBuf {
        self.path.join(kind.name_of(first))
    }

    /// Returns the first offset of each segment that has a file of this kind, in order. The second value is false if
    /// something that is not a file, such as a directory, has the name of the file.
    pub(super) fn segments(&self, kind: Kind) -> io::Result<Vec<(Offset, bool)>> {
        let mut firsts = Vec::new();
        for file in fs::read_dir(&self.path)? {
            let file = file?;
            let Some(first) = file.file_name().to_str().and_then(|name| first_of(name, kind)) else { continue };
            let is_file = file.file_type()?.is_file();
            if !is_file {
                tracing::error!(
                    name = ?file.file_name(),
                    "something that is not a file has the name of a file of the log: the data of that file is lost"
                );
            }
            firsts.push((first, is_file));
        }
        firsts.sort_unstable();
        Ok(firsts)
    }

    /// Creates a file with these bytes, or replaces it, in one atomic and durable step.
    pub(super) fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<File> {
        let file = self.put(path, bytes)?;
        self.sync()?;
        Ok(file)
    }

    /// Creates a file with these bytes, or replaces it, in one atomic step. After it, the directory has to be synced.
    pub(super) fn put(&self, path: &Path, bytes: &[u8]) -> Result<File, PutError> {
        let mut new = path.as_os_str().to_owned();
        new.push("-new");
        let new = PathBuf::from(new);
        let mut file = create(&new)?;
        let mut write = || {
            file.write_all(bytes)?;
            file.sync_all().map_err(PutError::Sync)?;
            fs::rename(&new, path)?;
            Ok(())
        };
        write().inspect_err(|_: &PutError| drop(fs::remove_file(&new)))?;
        Ok(file)
    }

    /// Reads a whole file; `None` if it does not exist. The result is empty if the path is not a file, or if the file
    /// is larger than [`MAX_WHOLE_BYTES`].
    pub(super) fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match path.symlink_metadata() {
            Ok(metadata) if metadata.is_file() && metadata.len() <= MAX_WHOLE_BYTES => fs::read(path).map(Some),
            Ok(_) => Ok(Some(Vec::new())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the list of files in the directory durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.handle.sync_all()
    }

    /// The metadata of the directory itself.
    pub(super) fn metadata(&self) -> io::Result<fs::Metadata> {
        self.handle.metadata()
    }

    /// True if the path still leads to the opened directory.
    pub(super) fn is_there(&self) -> bool {
        let same = |path: &Path| {
            let (here, there) = (self.handle.metadata()?, fs::metadata(path)?);
            Ok::<_, io::Error>((here.dev(), here.ino()) == (there.dev(), there.ino()))
        };
        same(&self.path).unwrap_or(false)
    }

    /// True if `path` still leads to the opened `file`.
    pub(super) fn has(&self, path: &Path, file: &File) -> bool {
        let same = || {
            let (here, there) = (file.metadata()?, fs::symlink_metadata(path)?);
            Ok::<_, io::Error>((here.dev(), here.ino()) == (there.dev(), there.ino()))
        };
        same().unwrap_or(false)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.is_locked {
            // The directory is unlocked explicitly. Closing the handle is not enough: a child process that is just
            // being started may have a copy of the handle for a short time.
            _ = self.handle.unlock();
        }
    }
}

fn make(path: &Path) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(DIRECTORY_MODE).create(path) {
        Ok(()) => keep_others_out(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Sets the access rights of a directory so that only its owner can read it.
pub(super) fn keep_others_out(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(DIRECTORY_MODE))
}

/// Creates an empty file that only its owner can read, whatever the process' umask is.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).write(true).create(true).truncate(true).mode(FILE_MODE).open(path)?;
    file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    Ok(file)
}

fn first_of(name: &str, kind: Kind) -> Option<Offset> {
    let digits = name.strip_suffix(kind.extension())?.strip_suffix('.')?;
    let is_ours = digits.len() == 16 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    u64::from_str_radix(digits, 16).ok().filter(|first| is_ours && (1..=MAX_OFFSET.0).contains(first)).map(Offset)
}

/// True if the name is that of a file of a segment.
pub(super) fn is_of_segment(name: &str) -> bool {
    [Kind::Log, Kind::Index, Kind::Ids, Kind::Erased].iter().any(|kind| first_of(name, *kind).is_some())
}
