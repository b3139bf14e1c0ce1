//! A store that keeps the last event ID in a file.
use super::{Store, StoreFuture};
use crate::BoxError;
use fanfare_event_stream::EventId;
use std::{
    ffi::OsString,
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

/// Keeps the last event ID in a text file, followed by a line feed, so that people can read it. Delete the file to
/// begin again.
///
/// The file is replaced as a whole: a new file is written beside it, synced and renamed, and the directory is synced.
/// So after a crash of the program or the machine, the file contains the old ID or the new one. This costs two syncs,
/// which take milliseconds on most disks. The stream returns events during a save. Of the IDs that are acknowledged
/// during a save, only the last is saved next. A symbolic link is replaced, not followed. A file of the same name with
/// a suffix such as `.0.tmp` was left by a crash and may be deleted.
///
/// Files are read and written on tokio's blocking threads, or directly if there is no runtime.
#[derive(Clone, Debug)]
pub struct FileStore {
    paths: Arc<Paths>,
}

#[derive(Debug)]
struct Paths {
    file: PathBuf,
    /// The new file that replaces `file`. Each store of a program has its own, since a store that was dropped may still
    /// be writing.
    new: PathBuf,
}

/// The reason why a [`FileStore`] cannot use its file.
#[derive(Debug)]
#[non_exhaustive]
pub enum FileStoreError {
    /// The file cannot be read.
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The file is larger than [`FileStore::MAX_BYTES`], so it is not an ID.
    TooLarge {
        /// The path of the file.
        path: PathBuf,
    },
    /// The file does not contain an event ID: it is not UTF-8, or has several lines.
    NotAnId {
        /// The path of the file.
        path: PathBuf,
    },
    /// The file cannot be replaced.
    Write {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// The ID is so long that it could not be loaded again.
    IdTooLong {
        /// The length of the ID in bytes.
        bytes: usize,
    },
}

impl FileStore {
    /// The largest file with an ID that is loaded, in bytes. An ID has to fit in it together with a line feed.
    pub const MAX_BYTES: usize = 64 << 10;

    /// Makes a store in the file `path`. The file does not have to exist, but its directory does. Only one event source
    /// at a time may use a file.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        static STORES: AtomicU64 = AtomicU64::new(0);
        let file = path.into();
        let mut new = OsString::from(&file);
        new.push(format!(".{}.tmp", STORES.fetch_add(1, Relaxed)));
        Self { paths: Arc::new(Paths { file, new: new.into() }) }
    }

    /// Returns the path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.paths.file
    }
}

impl Store for FileStore {
    fn load(&self) -> StoreFuture<'_, Option<String>> {
        let paths = Arc::clone(&self.paths);
        Box::pin(off_the_runtime(move || paths.load()))
    }

    fn save(&self, id: String) -> StoreFuture<'_, ()> {
        let paths = Arc::clone(&self.paths);
        Box::pin(off_the_runtime(move || paths.save(&id)))
    }
}

async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FileStoreError> + Send + 'static,
) -> Result<T, BoxError> {
    Ok(match tokio::runtime::Handle::try_current() {
        Ok(runtime) => runtime.spawn_blocking(work).await??,
        Err(_) => work()?,
    })
}

impl Paths {
    fn load(&self) -> Result<Option<String>, FileStoreError> {
        let unreadable = |error| FileStoreError::Read { path: self.file.clone(), error };
        let file = match File::open(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(unreadable)?,
        };
        let mut bytes = Vec::new();
        file.take(FileStore::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() > FileStore::MAX_BYTES {
            return Err(FileStoreError::TooLarge { path: self.file.clone() });
        }
        let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match std::str::from_utf8(line) {
            // An empty ID means that there is no ID to start from. It was saved because the server has set an empty ID.
            Ok("") => Ok(None),
            Ok(id) if EventId::new(id).is_ok() => Ok(Some(id.to_owned())),
            _ => Err(FileStoreError::NotAnId { path: self.file.clone() }),
        }
    }

    fn save(&self, id: &str) -> Result<(), FileStoreError> {
        if id.len() >= FileStore::MAX_BYTES {
            return Err(FileStoreError::IdTooLong { bytes: id.len() });
        }
        self.replace(id).map_err(|error| FileStoreError::Write { path: self.file.clone(), error })
    }

    fn replace(&self, id: &str) -> io::Result<()> {
        // Removes a file that a crash left over. `create_new` does not follow a link that somebody put there.
        match fs::remove_file(&self.new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).open(&self.new)?;
        let written = file.write_all(format!("{id}\n").as_bytes()).and_then(|()| file.sync_all());
        drop(file);
        let replaced = written.and_then(|()| fs::rename(&self.new, &self.file));
        if replaced.is_err() {
            // Removes the new file, which would otherwise take space on a disk that may be full. An error of the
            // removal is ignored: the caller gets the error because of which the file was not replaced.
            let _ = fs::remove_file(&self.new);
        }
        replaced?;
        sync_directory(&self.file)
    }
}

/// Syncs the directory of `file`, so that a rename survives a crash.
#[cfg(unix)]
fn sync_directory(file: &Path) -> io::Result<()> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

/// Does nothing: on systems other than Unix, a directory cannot be opened as a file.
#[cfg(not(unix))]
fn sync_directory(_file: &Path) -> io::Result<()> {
    Ok(())
}

impl fmt::Display for FileStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, error } => write!(f, "{} cannot be read: {error}", path.display()),
            Self::TooLarge { path } => {
                write!(f, "{} is larger than {} bytes, so it is not an event ID", path.display(), FileStore::MAX_BYTES)
            }
            Self::NotAnId { path } => {
                write!(f, "{} does not contain an event ID; delete it to start again", path.display())
            }
            Self::Write { path, error } => write!(f, "{} cannot be replaced: {error}", path.display()),
            Self::IdTooLong { bytes } => {
                write!(f, "an ID of {bytes} bytes is too long: the limit is {} bytes", FileStore::MAX_BYTES)
            }
        }
    }
}

// This error has no `source`, because its text contains the source already.
impl std::error::Error for FileStoreError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crash between writing and renaming leaves the new file behind, or somebody puts a link there so that another
    /// file is overwritten.
    #[test]
    fn what_is_in_the_way_is_replaced_and_not_followed() {
        let directory = std::env::temp_dir().join(format!("fanfare-client-leftover-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let paths = FileStore::new(directory.join("id")).paths;
        paths.save("1").unwrap();
        fs::write(&paths.new, "hal").unwrap();
        assert_eq!(paths.load().unwrap().as_deref(), Some("1"));
        paths.save("2").unwrap();
        assert_eq!(paths.load().unwrap().as_deref(), Some("2"));
        assert!(!paths.new.exists());
        #[cfg(unix)]
        {
            let other = directory.join("other");
            fs::write(&other, "precious").unwrap();
            std::os::unix::fs::symlink(&other, &paths.new).unwrap();
            paths.save("3").unwrap();
            assert_eq!(fs::read_to_string(&other).unwrap(), "precious");
            assert_eq!(paths.load().unwrap().as_deref(), Some("3"));
        }
        fs::remove_dir_all(&directory).unwrap();
    }
}
