//! The database: opening it, running transactions, and what becomes of its errors.
use super::{commit_slots, storage::Storage};
use crate::log::LogError;
use redb::{Builder, Database, Durability, ReadTransaction, ReadableDatabase, WriteTransaction, backends::FileBackend};
use std::{
    fs::{self, File},
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

/// The memory for pages that were read and for those that wait to be written, in bytes.
pub const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// A redb database that outlives its own failures.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    sync_failed: Arc<AtomicBool>,
    /// `None` after a write has failed: redb refuses everything from then on, and is opened again.
    database: RwLock<Option<Database>>,
}

impl Store {
    /// Opens the database in the file `path`, or makes one if that is empty.
    pub(super) fn open(path: &Path) -> Result<Self, LogError> {
        let sync_failed = Arc::new(AtomicBool::new(false));
        let database = RwLock::new(Some(database(path, &sync_failed)?));
        Ok(Self { path: path.into(), sync_failed, database })
    }

    /// True if a failure has closed the database.
    pub(super) fn is_closed(&self) -> bool {
        self.database.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Opens the database again after a failure, and has `catch_up` add what it lacks before anybody else sees it. If
    /// that fails, the database stays closed.
    pub(super) fn reopen<T>(&self, catch_up: impl FnOnce(&Self) -> Result<T, LogError>) -> Result<T, LogError> {
        if self.sync_failed.load(Ordering::Acquire) {
            return Err(
                io::Error::other("a sync has failed, so nothing more can be made durable before a restart").into()
            );
        }
        let sync_failed = Arc::clone(&self.sync_failed);
        let database = RwLock::new(Some(database(&self.path, &sync_failed)?));
        let reopened = Self { path: self.path.clone(), sync_failed, database };
        let value = catch_up(&reopened)?;
        let database = reopened.database.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = database;
        Ok(value)
    }

    /// Reads from one state of the database.
    pub(super) fn read<T>(&self, body: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>) -> Result<T, LogError> {
        let result = self.transact(|database| body(&database.begin_read()?));
        result.inspect_err(|error| self.note(error))
    }

    /// Writes, and commits with one sync, or changes nothing. What was written without a sync before becomes durable,
    /// too. A failure closes the database.
    pub(super) fn write<T>(
        &self,
        body: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, LogError> {
        self.commit(Durability::Immediate, body)
    }

    /// Writes without a sync, or changes nothing: it becomes durable with the next [`write`](Self::write), or when the
    /// database is closed and can be synced. A failure closes the database.
    pub(super) fn write_unsynced<T>(
        &self,
        body: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, LogError> {
        self.commit(Durability::None, body)
    }

    fn commit<T>(
        &self,
        durability: Durability,
        body: impl FnOnce(&WriteTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, LogError> {
        let result = self.transact(|database| {
            let mut transaction = database.begin_write()?;
            transaction.set_durability(durability)?;
            let value = body(&transaction)?;
            transaction.commit()?;
            Ok(value)
        });
        result.inspect_err(|error| {
            self.note(error);
            self.close();
        })
    }

    /// Has nothing more written before a restart: a sync of the journal has failed.
    pub(super) fn distrust(&self) {
        self.sync_failed.store(true, Ordering::Release);
        self.close();
    }

    fn close(&self) {
        let failed = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        // redb may find its own state broken by what went wrong.
        _ = catch_unwind(AssertUnwindSafe(|| drop(failed)));
    }

    fn transact<T>(&self, body: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, LogError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = database.as_ref() else {
            return Err(io::Error::other("the log is closed since it could not be written").into());
        };
        guarded(|| body(database))
    }

    /// Has the next start look at the file, when it was found corrupt.
    fn note(&self, error: &LogError) {
        if let LogError::Corrupt(what) = error {
            tracing::error!(what, "the log is corrupt: it will be salvaged at the next start");
            _ = fs::write(damage_note(&self.path), what);
        }
    }
}

/// The file that says that the log beside it was found corrupt.
pub(super) fn damage_note(log: &Path) -> PathBuf {
    log.with_extension("damaged")
}

fn database(path: &Path, sync_failed: &Arc<AtomicBool>) -> Result<Database, LogError> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut start = Vec::with_capacity(commit_slots::BYTES);
    Read::by_ref(&mut file).take(commit_slots::BYTES as u64).read_to_end(&mut start)?;
    if let Some(damage) = commit_slots::damage(&start).filter(|_| !start.is_empty()) {
        return Err(LogError::Corrupt(damage.into()));
    }
    guarded(|| {
        let storage = Storage::new(FileBackend::new(file)?, Arc::clone(sync_failed));
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE_BYTES);
        // Between the first and the second third of a repair redb gives up a current commit that does not verify. It
        // may have been acknowledged: see `commit_slots`, `Storage`.
        builder.set_repair_callback(|repair| {
            if repair.progress() > 0.0 && repair.progress() < 0.5 {
                repair.abort();
            }
        });
        Ok(builder.create_with_backend(storage)?)
    })
}

/// Runs redb, which reports some of what it finds in a damaged file by panicking.
fn guarded<T>(body: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, LogError> {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(result) => result.map_err(log_error),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            Err(LogError::Corrupt(format!("redb gave up: {text}")))
        }
    }
}

fn log_error(error: redb::Error) -> LogError {
    match error {
        redb::Error::Io(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
            LogError::Corrupt(error.to_string())
        }
        redb::Error::Io(error) => LogError::Io(error),
        redb::Error::PreviousIo => LogError::Io(io::Error::other("an earlier read or write failed")),
        redb::Error::DatabaseAlreadyOpen => LogError::InUse,
        redb::Error::RepairAborted => LogError::Corrupt("the last commit does not match its checksums".into()),
        error => LogError::Corrupt(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::TableDefinition;

    const TABLE: TableDefinition<'_, u64, u64> = TableDefinition::new("table");

    fn store() -> (tempfile::NamedTempFile, Store) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let store = Store::open(file.path()).unwrap();
        (file, store)
    }

    fn insert(store: &Store, key: u64) -> Result<(), LogError> {
        store.write(|transaction| Ok(transaction.open_table(TABLE)?.insert(key, key).map(drop)?))
    }

    #[test]
    fn a_write_that_fails_closes_the_database_until_it_is_opened_again() {
        let (_file, store) = store();
        insert(&store, 1).unwrap();
        let failed = store.write(|transaction| {
            transaction.open_table(TABLE)?.insert(2, 2)?;
            Err::<(), _>(redb::Error::Io(io::ErrorKind::StorageFull.into()))
        });
        assert!(matches!(failed, Err(LogError::Io(_))));
        assert!(store.is_closed());
        assert!(matches!(insert(&store, 3), Err(LogError::Io(_))));
        let not_caught_up = store.reopen(|reopened| {
            insert(reopened, 3)?;
            assert!(store.is_closed(), "nobody sees what lacks something");
            Err::<(), _>(LogError::Io(io::ErrorKind::Other.into()))
        });
        assert!(not_caught_up.is_err() && store.is_closed());
        store.reopen(|reopened| insert(reopened, 4)).unwrap();
        let keys = store.read(|transaction| {
            let rows = transaction.open_table(TABLE)?.range::<u64>(..)?;
            Ok(rows.map(|row| row.map(|(key, _)| key.value())).collect::<Result<Vec<_>, _>>()?)
        });
        assert_eq!(keys.unwrap(), [1, 3, 4]);
    }

    #[test]
    fn a_panic_is_an_error_and_a_note_for_the_next_start() {
        let (file, store) = store();
        let failed = store.read(|_| -> Result<(), _> { panic!("a page makes no sense") });
        assert!(matches!(failed, Err(LogError::Corrupt(what)) if what.contains("a page makes no sense")));
        let note = damage_note(file.path());
        assert!(std::fs::read_to_string(&note).unwrap().contains("a page makes no sense"));
        std::fs::remove_file(note).unwrap();
        insert(&store, 1).unwrap();
    }

    #[test]
    fn after_a_failed_sync_nothing_is_trusted() {
        let (_file, store) = store();
        store.sync_failed.store(true, Ordering::Release);
        _ = store.write(|_| Err::<(), _>(redb::Error::PreviousIo));
        assert!(matches!(store.reopen(|_| Ok(())), Err(LogError::Io(_))));
        assert!(store.is_closed());
    }
}
