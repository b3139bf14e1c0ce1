//! Directories that go with the test.
use std::{
    env, fs,
    path::PathBuf,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// An empty directory of the test's own. It is removed, with what is in it, when this is dropped.
#[derive(Debug)]
pub struct Directory(pub PathBuf);

impl Directory {
    /// Makes one for `purpose`.
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
        // What cannot be removed lies with other temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
