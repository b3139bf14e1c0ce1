//! Temporary directories for tests.
use std::{
    env, fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// A directory that only one test uses. It is removed, with its content, when this value is dropped.
#[derive(Debug)]
pub struct Directory(pub PathBuf);

impl Directory {
    /// Creates an empty directory. Its name contains `purpose`.
    #[must_use]
    pub fn new(purpose: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("fanfare-interop-{}-{number}-{purpose}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // If the directory cannot be removed, it stays among the temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
