//! The file of the newest presence updates. Presence updates are in memory while the log is open. When the log is
//! closed, they are written to this file, so that a subscriber that follows presence gets them after a restart. The
//! first append of the next process removes the file.
//!
//! | bytes | what, integers in little endian |
//! |---|---|
//! | 4, 8 | [`MAGIC`]; XXH3 of all bytes after this field |
//! | 16 | the random number of the log |
//! | | the records of the updates, in order |
//!
//! These subscribers are told of a gap if the file is missing or damaged.
use super::{
    directory::Directory,
    head::{LogId, log_seed},
    store::Store,
};
use crate::{
    entry::Entry,
    log::{
        Bounds, Epochs, Found,
        presence::{Presence, PresenceLimit},
        record::{self, Fields, Record, Token},
    },
};
use std::{fs, io, sync::Arc};
use xxhash_rust::xxh3::xxh3_64;

const MAGIC: [u8; 4] = [0xff, 0xfa, b'P', 1];
/// The name of the file.
pub(super) const NAME: &str = "presence";

impl Store {
    /// Writes the newest presence updates to their file, in place of what it holds. The directory is not synced.
    pub(super) fn write_presence_file(&self) -> io::Result<()> {
        let path = self.directory.join(NAME);
        let mut body = self.log.to_vec();
        for entry in self.presence().entries() {
            record::encode(entry, Token::default(), log_seed(&self.log), &mut body);
        }
        if body.len() == self.log.len() {
            return self.remove_presence_file().map(drop);
        }
        let bytes = [&MAGIC[..], &xxh3_64(&body).to_le_bytes(), &body].concat();
        self.directory.put(&path, &bytes)?;
        Ok(())
    }

    /// Removes the file if there is one. Returns true if it was removed; then the directory has to be synced.
    pub(super) fn remove_presence_file(&self) -> io::Result<bool> {
        match fs::remove_file(self.directory.join(NAME)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Reads the file. The result has only updates that belong to this log: another log may have given their offsets to
/// other updates, after a backup was restored.
pub(super) fn read(
    directory: &Directory,
    log: &LogId,
    limit: PresenceLimit,
    (bounds, epochs): (&Bounds, &Epochs),
) -> io::Result<Presence> {
    let mut presence = Presence::new(limit);
    let Some(bytes) = directory.read(&directory.join(NAME))? else { return Ok(presence) };
    let mut next = bounds.oldest;
    for entry in decode(&bytes, log).unwrap_or_default() {
        let position = entry.position;
        let is_here = (next..=bounds.head).contains(&position.offset) && epochs.position(position.offset) == position;
        if is_here && entry.update.is_of_presence() {
            next = position.offset.next();
            presence.push(entry);
        }
    }
    Ok(presence)
}

/// Returns the updates in the bytes of a file; `None` if they are damaged or belong to another log.
fn decode(bytes: &[u8], log: &LogId) -> Option<Vec<Arc<Entry>>> {
    let mut fields = Fields(bytes.strip_prefix(&MAGIC)?);
    if fields.u64()? != xxh3_64(fields.0) || fields.take(log.len())? != log {
        return None;
    }
    let mut entries = Vec::new();
    while let Some(record) = Record::read(fields.0, log_seed(log)) {
        fields.take(record.bytes().len())?;
        if let Some(Found::Entry(entry)) = record.found() {
            entries.push(entry);
        }
    }
    Some(entries)
}
