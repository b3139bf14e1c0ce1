//! Opening a log: a new one, the one that is there, or what can be saved of it.
use super::{
    DiskLog, Writing,
    journal::{Batch, Journal},
    salvage::{self, Salvaged},
    store::{Store, damage_note},
    superblock::Superblock,
    tables::{self, Extent},
};
use crate::{
    log::{Bounds, Epochs, LogError, Retention, disk::stored::Record},
    position::{Epoch, Offset, Position},
};
use redb::WriteTransaction;
use std::{
    fmt,
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::SystemTime,
};

/// The file with the log.
const LOG: &str = "log.redb";
/// The file with what was appended since that was last synced.
const JOURNAL: &str = "log.journal";
/// The file that is locked while the log is open.
const LOCK: &str = "lock";

/// What was done about a damaged log. Its first position is in a new epoch, and whoever resumes across a loss is told
/// of a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// What was wrong.
    pub cause: String,
    /// The place where the damaged file is now. Nothing deletes it.
    pub kept_as: PathBuf,
    /// The number of entries that were saved.
    pub entries: u64,
    /// The number of entries between the first and the last one saved that could not be saved.
    pub missing: u64,
}

impl DiskLog {
    /// Opens the log in the directory `dir`, which is made if there is none, and begins a new epoch. A file that is
    /// damaged, the journal included, is put aside, every entry that can be read is saved into a new one, and the
    /// [`Recovery`] says so.
    ///
    /// # Errors
    /// [`LogError::InUse`] if another process has the log open, [`LogError::Io`] if files cannot be read or written.
    /// Nothing is put aside then.
    pub fn open(dir: &Path, retention: Retention) -> Result<(Self, Option<Recovery>), LogError> {
        fs::create_dir_all(dir)?;
        let lock = lock(&dir.join(LOCK))?;
        let path = dir.join(LOG);
        if !path.try_exists()? {
            create(&path)?;
        }
        let journal = dir.join(JOURNAL);
        match load(&path, &journal) {
            Ok(loaded) => Ok((begin(loaded, retention, lock)?, None)),
            Err(LogError::Corrupt(cause)) => {
                let recovery = recover(&path, &journal, cause)?;
                tracing::warn!("{recovery}");
                Ok((begin(load(&path, &journal)?, retention, lock)?, Some(recovery)))
            }
            Err(error) => Err(error),
        }
    }
}

/// The lock on a log's directory.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would not do: a process that is being started may hold a copy of it for a moment.
        _ = self.0.unlock();
    }
}

fn lock(path: &Path) -> Result<Lock, LogError> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => LogError::InUse,
        TryLockError::Error(error) => LogError::Io(error),
    })?;
    Ok(Lock(file))
}

/// Makes an empty log. It gets its name when it is complete.
fn create(path: &Path) -> Result<(), LogError> {
    let superblock = Superblock { session: 0, head: Offset::ZERO, oldest: Offset::ZERO, epochs: Vec::new() };
    let new = empty_file(path)?;
    Store::open(&new)?.write(|transaction| tables::put_superblock(transaction, &superblock))?;
    fs::rename(new, path)?;
    sync_directory(path)
}

fn empty_file(path: &Path) -> io::Result<PathBuf> {
    let new = path.with_extension("new");
    File::create(&new)?;
    Ok(new)
}

fn load(path: &Path, journal: &Path) -> Result<(Store, Superblock, Extent, Journal), LogError> {
    match fs::read_to_string(damage_note(path)) {
        Ok(cause) => return Err(LogError::Corrupt(cause)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    if fs::metadata(path)?.len() == 0 {
        return Err(LogError::Corrupt("the file is empty".into()));
    }
    let store = Store::open(path)?;
    let (superblock, mut extent) = store.read(tables::load)?;
    let journal = catch_up(&store, &superblock, &mut extent, journal)?;
    Ok((store, superblock, extent, journal))
}

/// Begins the log's next session, and with it a new epoch.
fn begin(
    (store, superblock, extent, journal): (Store, Superblock, Extent, Journal),
    retention: Retention,
    lock: Lock,
) -> Result<DiskLog, LogError> {
    let mut epochs = Epochs::begin(superblock.epochs, Epoch::random(), extent.head.next());
    epochs.forget(extent.oldest);
    let session = superblock.session + 1;
    let superblock = Superblock { session, head: extent.head, oldest: extent.oldest, epochs: epochs.to_vec() };
    store.write(|transaction| tables::put_superblock(transaction, &superblock))?;
    let bounds = Mutex::new(Bounds { oldest: extent.oldest, head: extent.head });
    let writing = Mutex::new(Writing { extent, journal, batch: 0 });
    Ok(DiskLog { store, retention, epochs: Arc::new(epochs), session, writing, bounds, _lock: lock })
}

/// Appends what the journal has and the database lacks. A journal that does not continue this log is put aside: the log
/// beside it was exchanged.
fn catch_up(store: &Store, superblock: &Superblock, extent: &mut Extent, path: &Path) -> Result<Journal, LogError> {
    let is_new = !path.try_exists()?;
    let mut journal = Journal::open(path)?;
    if is_new {
        sync_directory(path)?;
    }
    let batches = journal.batches()?;
    if !continues(&batches, superblock, extent) {
        let kept_as = keep(path, "journal.foreign")?;
        fs::remove_file(path)?;
        tracing::warn!(kept_as = %kept_as.display(), "the journal is not this log's and was put aside");
        return catch_up(store, superblock, extent, path);
    }
    if last_offset(&batches) > extent.head {
        store.write(|transaction| replay(transaction, &batches, extent))?;
    }
    // Each frame was synced before the next one was written, so one that was cut off has no successor.
    let has_more = |Position { epoch, offset }| offset > extent.head && knows(superblock, epoch);
    if positions(&journal.all_batches()?).any(has_more) {
        return Err(LogError::Corrupt("a frame of the journal does not match its checksum".into()));
    }
    Ok(journal)
}

fn positions(batches: &[Batch]) -> impl Iterator<Item = Position> {
    batches.iter().flat_map(Batch::records).map(|record| record.position)
}

fn knows(superblock: &Superblock, epoch: Epoch) -> bool {
    superblock.epochs.iter().any(|(known, _)| *known == epoch)
}

fn last_offset(batches: &[Batch]) -> Offset {
    positions(batches).map(|position| position.offset).max().unwrap_or_default()
}

/// True if what the journal has behind the head directly follows it, in epochs that the log knows.
fn continues(batches: &[Batch], superblock: &Superblock, extent: &Extent) -> bool {
    let mut head = extent.head;
    positions(batches).all(|Position { epoch, offset }| {
        let follows = offset <= head || (offset == head.next() && knows(superblock, epoch));
        head = head.max(offset);
        follows
    })
}

/// Appends what `batches` have behind the head.
pub(super) fn replay(
    transaction: &WriteTransaction,
    batches: &[Batch],
    extent: &mut Extent,
) -> Result<(), redb::Error> {
    for batch in batches {
        let newer = batch.records().filter(|record| record.position.offset > extent.head);
        let entry = |record: Record<'_>| record.entry().map(Arc::new).ok_or_else(|| tables::corrupt("the journal"));
        let entries: Vec<_> = newer.map(entry).collect::<Result<_, _>>()?;
        if !entries.is_empty() {
            tables::append(transaction, &entries, batch.age, extent, &mut Vec::new())?;
        }
    }
    Ok(())
}

/// Saves what can be read of a damaged log into a new one, and puts the damaged one aside.
fn recover(path: &Path, journal: &Path, cause: String) -> Result<Recovery, LogError> {
    let new = empty_file(path)?;
    let Salvaged { entries, missing } = salvage::salvage(&[path, journal], &new)?;
    let kept_as = keep(path, "redb.corrupt")?;
    if journal.try_exists()? {
        keep(journal, "journal.corrupt")?;
    }
    fs::rename(new, path)?;
    match fs::remove_file(damage_note(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    sync_directory(path)?;
    // Only now: until the new log has its name, what the journal has may be nowhere else.
    match fs::remove_file(journal) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    Ok(Recovery { cause, kept_as, entries, missing })
}

/// Gives a file that is put aside a second name, so that there is a log under its first name at every moment.
fn keep(path: &Path, extension: &str) -> Result<PathBuf, LogError> {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    for number in since_epoch.. {
        let kept_as = path.with_extension(format!("{extension}-{number}"));
        match fs::hard_link(path, &kept_as) {
            Ok(()) => return Ok(kept_as),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            // A file system without second names.
            Err(_) => {
                fs::copy(path, &kept_as)?;
                return Ok(kept_as);
            }
        }
    }
    unreachable!("there are more numbers than files")
}

/// Makes new names durable. Not every system has a way, or a need, to do that.
fn sync_directory(path: &Path) -> Result<(), LogError> {
    if cfg!(unix)
        && let Some(dir) = path.parent()
    {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, kept_as, entries, missing } = self;
        write!(f, "the log was damaged ({cause}); {entries} entries were saved, {missing} between them are lost; ")?;
        write!(f, "the damaged file is kept as {}", kept_as.display())
    }
}
