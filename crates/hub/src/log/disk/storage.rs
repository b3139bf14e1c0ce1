//! The file below redb: redb's own, but for the order of writes and the memory of a failed sync.
use redb::{StorageBackend, backends::FileBackend};
use std::{
    io, mem,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

/// A file that redb writes to.
///
/// redb writes the pages of a commit and the header that makes it the current one in any order, and syncs them
/// together. Here the header comes last, directly before the sync: a process that is killed leaves whole commits only,
/// and a current commit that does not verify is damage, or was torn by a loss of power.
#[derive(Debug)]
pub(super) struct Storage {
    file: FileBackend,
    /// What waits to be written at the beginning of the file, which redb always writes and reads from there.
    header: Mutex<Vec<u8>>,
    /// After a sync has failed, the kernel takes what it could not write for written: a later sync succeeds without
    /// having saved it. The file may still be read, but nothing can be acknowledged until the process is started anew.
    sync_failed: Arc<AtomicBool>,
}

impl Storage {
    pub(super) fn new(file: FileBackend, sync_failed: Arc<AtomicBool>) -> Self {
        Self { file, header: Mutex::default(), sync_failed }
    }

    /// redb makes what it has not synced durable when it is closed, also what was refused because its sync has failed.
    fn check_syncs(&self) -> io::Result<()> {
        if self.sync_failed.load(Ordering::Acquire) { Err(io::Error::other("a sync has failed")) } else { Ok(()) }
    }

    fn header(&self) -> MutexGuard<'_, Vec<u8>> {
        self.header.lock().expect("nobody panics with it")
    }
}

impl StorageBackend for Storage {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)?;
        if offset == 0 {
            let waiting = self.header();
            let count = waiting.len().min(out.len());
            out[..count].copy_from_slice(&waiting[..count]);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check_syncs()?;
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check_syncs()?;
        let header = mem::take(&mut *self.header());
        if !header.is_empty() {
            self.file.write(0, &header)?;
        }
        self.file.sync_data().inspect_err(|_| self.sync_failed.store(true, Ordering::Release))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check_syncs()?;
        if offset > 0 {
            return self.file.write(offset, data);
        }
        *self.header() = data.to_vec();
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_written_with_the_sync() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let storage = Storage::new(FileBackend::new(file.reopen().unwrap()).unwrap(), Arc::default());
        let written = || std::fs::read(file.path()).unwrap();
        storage.set_len(8).unwrap();
        storage.write(0, &[1, 2, 3]).unwrap();
        storage.write(4, &[9]).unwrap();
        assert_eq!(written(), [0, 0, 0, 0, 9, 0, 0, 0]);
        for (offset, bytes) in [(0, &[1, 2, 3, 0, 9][..]), (0, &[1, 2]), (4, &[9, 0])] {
            let mut out = vec![7; bytes.len()];
            storage.read(offset, &mut out).unwrap();
            assert_eq!(out, bytes, "at {offset}");
        }
        storage.sync_data().unwrap();
        assert_eq!(written(), [1, 2, 3, 0, 9, 0, 0, 0]);
    }
}
