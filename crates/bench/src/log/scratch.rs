//! The temporary directory of a run, on the same disk as the workspace. It is removed at the end of the run.
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A directory below `target/` that is removed when this value is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes the directory.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new() -> io::Result<Self> {
        let path = PathBuf::from(format!("target/bench-data-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        // Symbolic links in the path are resolved, because `strace` shows the resolved path.
        Ok(Self(path.canonicalize()?))
    }

    /// Returns a path in the directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns the lengths of the files in a directory that have this extension, or of all its files, in the order of their
/// names.
///
/// # Errors
/// If the directory cannot be read.
pub fn lengths(directory: &Path, extension: Option<&str>) -> io::Result<Vec<u64>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if extension.is_none_or(|wanted| entry.path().extension().is_some_and(|found| found == wanted)) {
            files.push((entry.file_name(), entry.metadata()?.len()));
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, length)| length).collect())
}
