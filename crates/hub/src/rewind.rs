//! A rewind: the newest updates of each topic, for a subscriber that has no last event ID.
use crate::{
    audience_key::AudienceKey,
    budget::Room,
    entry::Timestamp,
    log::{Log, LogError, Query, ReadLimit},
    position::Offset,
};
use std::collections::VecDeque;

/// The greatest number of updates of a rewind, of all topics together.
pub const MAX_REWIND: usize = 10_000;
/// The number of encoded bytes at which a step ends. A step reads a part of a rewind.
const STEP_BYTES: usize = 64 << 10;

/// The offsets of the updates of a rewind that have not been returned yet, in order.
#[derive(Clone, Debug)]
pub(crate) struct Rewind {
    offsets: VecDeque<Offset>,
    /// The room that the offsets take; `None` while a search is made for them, or if they are not charged to the budgets.
    room: Option<Room>,
}

impl Rewind {
    /// Returns a rewind of the updates at these offsets, which are in order.
    pub(crate) fn new(offsets: VecDeque<Offset>) -> Self {
        Self { offsets, room: None }
    }

    /// The memory of the rewind, in bytes.
    pub(crate) fn held_bytes(&self) -> usize {
        self.offsets.capacity() * size_of::<Offset>()
    }

    /// The room that the offsets and the bytes of the last step take.
    pub(crate) fn room(&self) -> Option<&Room> {
        self.room.as_ref()
    }

    /// Gives back the room of the last step.
    pub(crate) fn release(&mut self) {
        self.room = None;
    }

    /// Keeps the room that the rewind takes from now on.
    pub(crate) fn keep(&mut self, room: Room) {
        self.room = Some(room);
    }

    /// True if all updates of the rewind have been returned.
    pub(crate) fn is_over(&self) -> bool {
        self.offsets.is_empty()
    }

    /// The position before the next update; `None` if there is no further update.
    pub(crate) fn begins_after(&self) -> Option<Offset> {
        self.offsets.front().map(|first| Offset(first.0 - 1))
    }

    /// Returns the next encoded events. Updates that were discarded or erased after the search are left out. Blocks
    /// while it reads the log.
    pub(crate) fn step(&mut self, log: &dyn Log, key: &AudienceKey, now: Timestamp) -> Result<Vec<u8>, LogError> {
        let mut run = Vec::new();
        while run.len() < STEP_BYTES {
            let Some(offset) = self.offsets.pop_front() else { break };
            let (after, limit) = (Offset(offset.0 - 1), ReadLimit { entries: 1, bytes: 0 });
            let read = log.read(&Query { after, until: offset, topics: None, now, limit })?;
            read.entries().for_each(|entry| key.encode(entry, &mut run));
        }
        Ok(run)
    }
}
