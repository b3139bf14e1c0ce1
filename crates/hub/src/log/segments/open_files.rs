//! The files of a log that are kept open: only a few, even if there are many segments.
use super::{
    directory::{Directory, Kind},
    file,
    head::{self, SegmentHead},
};
use crate::position::Offset;
use std::{
    collections::VecDeque,
    fs::File,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The greatest number of files of a log that are kept open for reading.
pub(super) const MAX_OPEN: usize = 48;

/// The open files, in the order in which they were last used, the most recently used file at the end.
#[derive(Debug, Default)]
pub(super) struct OpenFiles(Mutex<VecDeque<(Key, Arc<File>)>>);

/// The key by which an open file is found: the first offset, generation (number of rewrites) and kind. The generation
/// is needed because a rewritten segment is another file with the same name.
type Key = (Offset, u32, Kind);

impl OpenFiles {
    /// Returns a file of the segment that begins with `first` and was rewritten `generation` times. Opens it if it is
    /// not open.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if the segment was removed, or was rewritten once more.
    pub(super) fn get(
        &self,
        directory: &Directory,
        first: Offset,
        generation: u32,
        kind: Kind,
    ) -> io::Result<Arc<File>> {
        let key = (first, generation, kind);
        let mut open = self.lock();
        if let Some(place) = open.iter().position(|(other, _)| *other == key) {
            let found = open.remove(place).expect("the file was just found");
            let file = found.1.clone();
            open.push_back(found);
            return Ok(file);
        }
        drop(open);
        let file = Arc::new(File::open(directory.file(first, kind))?);
        if kind == Kind::Log && generation_of(&file)?.is_some_and(|found| found != generation) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let mut open = self.lock();
        if open.len() >= MAX_OPEN {
            open.pop_front();
        }
        open.push_back((key, file.clone()));
        Ok(file)
    }

    /// Closes the files of a segment.
    pub(super) fn forget(&self, first: Offset) {
        self.lock().retain(|((other, ..), _)| *other != first);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Key, Arc<File>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the number of times that the segment in this file was rewritten; `None` if the head of the segment is
/// damaged.
fn generation_of(file: &File) -> io::Result<Option<u32>> {
    Ok(read_head(file)?.map(|(head, _)| head.generation))
}

/// Reads the head of the segment in this file, and its length; `None` if the head is damaged.
pub(super) fn read_head(file: &File) -> io::Result<Option<(SegmentHead, usize)>> {
    let mut bytes = vec![0; head::MAX_BYTES];
    let read = file::read_at(file, &mut bytes, 0)?;
    Ok(SegmentHead::read(&bytes[..read]))
}
