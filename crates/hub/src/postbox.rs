//! The router's end of a mailbox, and what goes through it.
use crate::{bell::Bell, position::Offset};
use bytes::Bytes;
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;

/// The number of batches, or pieces of large ones, that wait in a mailbox before the router waits.
pub const MAILBOX_BATCHES: usize = 16;

/// A shard's part of an audience, as the shard names it. The generation tells it from an earlier one with the same
/// index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PartKey {
    /// The place in whatever the shard keeps its parts in.
    pub index: u32,
    /// Counts what has been in that place.
    pub generation: u32,
}

/// The wire events of one batch for the part of an audience, in order. An event of two pieces takes two items of the
/// same offset, which follow each other.
pub type Events = Arc<[(Offset, Bytes)]>;

/// The events that the router has for a shard.
pub(crate) type Letter = Vec<(PartKey, Events)>;

/// The function that wakes the thread that empties a mailbox.
pub(crate) type Wake = dyn Fn() + Send + Sync;

/// The router's end.
#[derive(Debug)]
pub(crate) struct Postbox {
    letters: Sender<Letter>,
    bell: Arc<Bell<Wake>>,
}

impl Postbox {
    /// A postbox, and what comes out at its other end. Whoever takes that out is woken by `bell`.
    pub(crate) fn new(bell: Arc<Bell<Wake>>) -> (Self, Receiver<Letter>) {
        let (sender, letters) = bounded(MAILBOX_BATCHES);
        (Self { letters: sender, bell }, letters)
    }

    /// Puts a letter in, waiting while the mailbox is full. Returns whether there still is one.
    pub(crate) fn post(&self, letter: Letter) -> bool {
        let posted = self.letters.send(letter).is_ok();
        self.bell.ring();
        posted
    }
}
