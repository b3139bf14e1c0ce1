//! Appends updates to the log, with one write and one sync of one file.
use super::{
    directory::{self, Kind},
    end_mark::EndMark,
    frame,
    head::SegmentHead,
    index::Index,
    index_memory::{IndexMemory, Indexed},
    segment::{Seeds, Segment},
    store::{Active, Store, Writing},
};
use crate::{
    entry::{Entry, Timestamp},
    log::{
        Epochs, LogError,
        record::{self, Token},
        terms::{self, Terms},
        writer::MAX_BATCH_BYTES,
    },
    position::{Offset, Position},
    update::Update,
};
use std::{
    fs, io,
    os::unix::fs::FileExt as _,
    sync::Arc,
    time::{Duration, Instant},
};

/// The size of the index of the active segment above which the segment is sealed, in bytes of memory.
pub const INDEX_MEMORY_BYTES: usize = 8 << 20;
/// The greatest number of offsets of a segment: the index counts them with 32 bits. Only presence updates, of which
/// many take few bytes, can be so many.
const MAX_SEGMENT_OFFSETS: u64 = 1 << 31;
/// The zeros that are written after the last frame, to reserve space for later frames. So the length of the file does
/// not change with each append, and a sync only writes data.
const ZEROS: &[u8] = &[0; 256 << 10];
/// The shortest time between two checks whether the disk has room again. Strangers can cause these checks.
const TRY_INTERVAL: Duration = Duration::from_millis(500);
/// The size of a frame, in bytes, from which on no zeros are written to reserve space: a few frames of this size would
/// use up all the zeros.
const LARGE_FRAME_BYTES: usize = 32 << 10;

impl Store {
    /// Appends updates, each with its time. The times must not decrease; `now` is the newest of these times. Without
    /// updates, checks whether the log can append.
    pub(super) fn append(
        &self,
        batch: impl ExactSizeIterator<Item = (Timestamp, Update)>,
        now: Timestamp,
    ) -> Result<Vec<Arc<Entry>>, LogError> {
        let mut writing = self.writing();
        self.check()?;
        if batch.len() == 0 {
            let Some((error, at)) = &writing.failed else { return Ok(Vec::new()) };
            if at.elapsed() < TRY_INTERVAL {
                return Err(error.again());
            }
            let tried = self.try_room(&mut writing);
            writing.failed = tried.as_ref().err().map(|error| (error.again(), Instant::now()));
            return tried.map(|()| Vec::new());
        }
        let appended = self.append_all(&mut writing, batch, now);
        writing.failed = appended.as_ref().err().map(|error| (error.again(), Instant::now()));
        appended
    }

    fn append_all(
        &self,
        writing: &mut Writing,
        batch: impl ExactSizeIterator<Item = (Timestamp, Update)>,
        now: Timestamp,
    ) -> Result<Vec<Arc<Entry>>, LogError> {
        self.hear(now);
        let bounds = self.bounds();
        let (head, epoch) = (bounds.head, writing.epoch);
        let entry = |(offset, (time, update))| Entry::new(Position { epoch, offset: Offset(offset) }, time, update);
        let entries: Vec<_> = (head.0 + 1..).zip(batch).map(entry).map(Arc::new).collect();
        writing.batch += 1;
        let token = Token { session: self.session, batch: writing.batch };
        if let Some(full) = writing.active.take_if(|active| self.is_full(active, &entries)) {
            // The zeros at the end of the full segment are cut off. If that fails, they do no harm.
            _ = full.file.set_len(full.segment.summary().log_bytes);
        }
        let seeds = match writing.active {
            Some(_) => self.write_next(writing, (&entries, token), bounds.oldest)?,
            None => self.write_first(writing, (&entries, token), bounds.oldest)?,
        };
        let active = writing.active.as_ref().expect("a frame was just written to the active segment");
        self.publish(active, &entries, &writing.frame, seeds);
        // The new entries are in the log, so an error while old entries are discarded is ignored: a later call discards
        // them.
        _ = self.discard_some(writing, now, super::retention::PER_ENTRY * entries.len());
        Ok(entries)
    }

    /// Checks, after an append has failed, whether the disk has room again: writes the zeros that would follow the next
    /// frame, or a file that is removed again.
    fn try_room(&self, writing: &mut Writing) -> Result<(), LogError> {
        match &mut writing.active {
            Some(active) => {
                active.file.write_all_at(ZEROS, active.filled)?;
                active.filled += ZEROS.len() as u64;
            }
            None => {
                let path = self.directory.join("room-new");
                let written = directory::create(&path).and_then(|file| file.write_all_at(ZEROS, 0));
                _ = fs::remove_file(&path);
                written?;
            }
        }
        Ok(())
    }

    fn is_full(&self, active: &Active, entries: &[Arc<Entry>]) -> bool {
        let state = active.segment.state();
        let bytes: u64 = entries.iter().map(|entry| entry.update.stored_bytes() as u64).sum();
        let index_bytes = if let Index::Memory(index) = &state.index { index.bytes() } else { 0 };
        let has_records = state.summary.end > active.segment.first;
        let offsets = state.summary.end.0 - active.segment.first.0;
        has_records
            && (offsets > MAX_SEGMENT_OFFSETS
                || state.summary.log_bytes + bytes > self.settings.segment_bytes
                || index_bytes > INDEX_MEMORY_BYTES)
    }

    /// Appends a frame to the active segment.
    fn write_next(
        &self,
        writing: &mut Writing,
        (entries, token): (&[Arc<Entry>], Token),
        oldest: Offset,
    ) -> Result<Seeds, LogError> {
        let Writing { active, frame, .. } = writing;
        let current = active.as_mut().expect("there is an active segment");
        let (seeds, at) = (current.segment.seeds, current.segment.summary().log_bytes);
        encode(entries, token, oldest, seeds, frame);
        let end = at + frame.len() as u64;
        if end > current.filled && frame.len() < LARGE_FRAME_BYTES {
            // If there is no room on the disk for the zeros, there may still be room for the frame.
            if current.file.write_all_at(ZEROS, current.filled).is_ok() {
                current.filled += ZEROS.len() as u64;
            }
        }
        if let Err(error) = current.file.write_all_at(frame, at) {
            // A part of the frame may be in the file, and must not be read as a frame. If this part cannot be cut off,
            // the segment ends at this point, and the next append begins another segment.
            match current.file.set_len(at) {
                Ok(()) => current.filled = at,
                Err(_) => *active = None,
            }
            return Err(error.into());
        }
        current.filled = current.filled.max(end);
        current.file.sync_data().map_err(|error| self.could_not_sync(&error))?;
        Ok(seeds)
    }

    /// Begins a segment with its first frame. The file gets its final name when the head of the segment and the frame
    /// are durable.
    fn write_first(
        &self,
        writing: &mut Writing,
        (entries, token): (&[Arc<Entry>], Token),
        oldest: Offset,
    ) -> Result<Seeds, LogError> {
        let first = entries[0].position.offset;
        let seeds = Seeds::of(&self.log, first);
        encode(entries, token, oldest, seeds, &mut writing.frame);
        let epochs = self.epochs_with(writing, first, oldest);
        let is_first_of_epoch = self.epochs().current() != writing.epoch;
        let frame = std::mem::take(&mut writing.frame);
        let begun = self.begin_segment(first, &epochs, &frame);
        writing.frame = frame;
        let active = begun?;
        if is_first_of_epoch {
            self.forget_the_last_end()?;
            self.set_epochs(epochs);
        }
        let mut held = self.held_mut();
        // If there was an empty segment with the same name, the new file has just replaced its file, so the empty
        // segment is removed from the list.
        if held.segments.back().is_some_and(|last| last.first == first) {
            held.segments.pop_back();
            self.files.forget(first);
        }
        // Nothing more is appended to the segment before the new one, so its index can be written to a file.
        let before = held.segments.back().cloned();
        held.segments.push_back(active.segment.clone());
        drop(held);
        writing.active = Some(active);
        if let Some(before) = before {
            self.write_down(&before);
        }
        Ok(seeds)
    }

    /// Removes the files about the last clean end of the log. They describe the log before the segment that was just
    /// begun, so they harm nothing if they cannot be removed.
    fn forget_the_last_end(&self) -> Result<(), LogError> {
        let removed = [EndMark::remove(&self.directory), self.remove_presence_file()];
        // If a file came back after a power failure, it could hide that the new segment was lost, or show presence
        // updates that were erased meanwhile.
        if removed.iter().any(|removed| matches!(removed, Ok(true))) {
            self.directory.sync().map_err(|error| self.could_not_sync(&error))?;
        }
        for error in removed.into_iter().filter_map(Result::err) {
            tracing::warn!(%error, "a file about the last end of the log cannot be removed");
        }
        Ok(())
    }

    /// Returns the epochs of the log, including the epoch that this process begins with its first append.
    fn epochs_with(&self, writing: &Writing, first: Offset, oldest: Offset) -> Epochs {
        let known = self.epochs();
        let mut epochs = match known.current() == writing.epoch {
            true => Epochs::clone(&known),
            false => Epochs::begin(known.to_vec(), writing.epoch, first),
        };
        epochs.forget(oldest);
        epochs
    }

    /// Creates the file of a segment, with `frame` in it, and makes the file durable.
    pub(super) fn begin_segment(&self, first: Offset, epochs: &Epochs, frame: &[u8]) -> Result<Active, LogError> {
        let head = SegmentHead { log: self.log, first, generation: 0, session: self.session, epochs: epochs.to_vec() };
        let head = head.encode();
        let path = self.directory.file(first, Kind::Log);
        let new = path.with_extension("new");
        let begin = || {
            let file = directory::create(&new)?;
            file.write_all_at(&head, 0)?;
            file.write_all_at(frame, head.len() as u64)?;
            Ok::<_, io::Error>(file)
        };
        let file = begin().inspect_err(|_| drop(fs::remove_file(&new)))?;
        // An earlier segment may have had the same name: it was empty, or its file has vanished. Its index and its list
        // of erased updates do not belong to the new segment, so they are removed.
        for beside in [Kind::Index, Kind::Erased] {
            _ = fs::remove_file(self.directory.file(first, beside));
        }
        let could_not_sync = |error: io::Error| self.could_not_sync(&error);
        file.sync_all().map_err(could_not_sync)?;
        // If the directory has no room for the name, for example on a full disk, the new file is removed, and the next
        // append tries again.
        fs::rename(&new, &path).inspect_err(|_| drop(fs::remove_file(&new)))?;
        // If this sync fails, it is not known whether the name of the file is durable, so the log accepts no more
        // updates.
        self.directory.sync().map_err(could_not_sync)?;
        let mut index = IndexMemory::new(first);
        index.end_at(head.len() as u64, Offset::ZERO);
        let summary = *index.summary();
        let segment = Segment::new(first, 0, Seeds::of(&self.log, first), Index::Memory(index), summary);
        let filled = (head.len() + frame.len()) as u64;
        Ok(Active { segment: Arc::new(segment), file: Arc::new(file), filled })
    }

    /// Makes the appended entries visible to readers.
    fn publish(&self, active: &Active, entries: &[Arc<Entry>], frame: &[u8], seeds: Seeds) {
        let mut state = active.segment.state_mut();
        let (begin, before) = (state.summary.log_bytes, state.summary.amounts(active.segment.first));
        let Index::Memory(index) = &mut state.index else {
            unreachable!("the index of the active segment is in memory")
        };
        let mut at = begin + frame::HEAD_BYTES as u64;
        let mut presence = Vec::new();
        for run in runs(entries) {
            let (entry, newest) = (&run[0], &run[run.len() - 1]);
            let (offset, last, time) = (entry.position.offset, newest.position.offset, newest.time);
            let is_of_presence = entry.update.is_of_presence();
            let bytes = if is_of_presence { record::PRESENCE_BYTES } else { entry.update.stored_bytes() };
            let expires = match is_of_presence {
                true => None,
                false => entry.update.ttl_ms().map(|ttl| Timestamp(entry.time.0.saturating_add(ttl))),
            };
            let terms = if is_of_presence { Terms::default() } else { terms::of(&entry.update, seeds.log) };
            index.add(Indexed { offset, last, time, expires, at, bytes, is_of_presence }, terms);
            at += bytes as u64;
            if is_of_presence {
                presence.extend_from_slice(run);
            }
        }
        index.end_at(begin + frame.len() as u64, Offset::ZERO);
        state.summary = *index.summary();
        let now = state.summary.amounts(active.segment.first);
        drop(state);
        // The presence updates are there before readers get to their offsets: otherwise a reader would find them lost.
        let mut kept = self.presence();
        presence.into_iter().for_each(|entry| kept.push(entry));
        drop(kept);
        let mut held = self.held_mut();
        held.bounds.head = entries[entries.len() - 1].position.offset;
        let mut tally = held.tally;
        tally.stored += now;
        tally.stored -= before;
        held.set_tally(tally);
    }

    /// Writes the index of a segment from memory to a file beside the segment. If the file cannot be written, the index
    /// stays in memory, and the hub makes it again at the next start.
    pub(super) fn write_down(&self, segment: &Segment) {
        let mut state = segment.state_mut();
        let Index::Memory(index) = &state.index else { return };
        let written = segment.write_ids(&self.directory, index);
        match written.and_then(|()| segment.write_index(&self.directory, index)) {
            Ok(index) => state.index = Index::File(index),
            Err(error) => tracing::warn!(%error, "the index of a segment cannot be written: it stays in memory"),
        }
    }
}

/// Returns the entries of each record: a run of presence updates has one record, and every other entry has its own.
fn runs(entries: &[Arc<Entry>]) -> impl Iterator<Item = &[Arc<Entry>]> {
    entries.chunk_by(|one, next| one.update.is_of_presence() && next.update.is_of_presence())
}

fn encode(entries: &[Arc<Entry>], token: Token, oldest: Offset, seeds: Seeds, frame: &mut Vec<u8>) {
    frame::begin(frame);
    for run in runs(entries) {
        let (entry, newest) = (&run[0], &run[run.len() - 1]);
        if entry.update.is_of_presence() {
            let offsets = (entry.position, newest.position.offset);
            record::encode_presence(offsets, newest.time, token, seeds.segment, frame);
        } else {
            record::encode(entry, token, seeds.segment, frame);
        }
    }
    frame::end(frame, (entries[0].position.offset, entries.len()), oldest, seeds.segment);
    // Releases the memory that a single large publication needed.
    if frame.capacity() > 2 * MAX_BATCH_BYTES && frame.len() < MAX_BATCH_BYTES {
        frame.shrink_to(MAX_BATCH_BYTES);
    }
}
