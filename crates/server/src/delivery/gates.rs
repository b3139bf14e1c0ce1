//! The ways to all shards: the queue of messages to each shard, and whether the shard takes streams. A shard that
//! replaces another one gets the message that all shards were told last.
use super::{incoming::Incoming, turns::Turns};
use crossbeam_channel::Sender;
use fanfare_hub::mailbox::Caller;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicUsize};

/// The ways to all shards.
#[derive(Debug, Default)]
pub(super) struct Gates(Mutex<Open>);

/// What is behind the lock of [`Gates`].
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) slots: Vec<Slot>,
    /// Makes the last message that all shards were told. A shard that replaces another one is told it too.
    told: Option<fn() -> Incoming>,
}

/// A shard, as the connections see it.
#[derive(Debug)]
pub(super) enum Slot {
    /// The shard takes streams.
    Open(Gate),
    /// The shard has died, and another one is about to take its place.
    Closed,
    /// The shard has died, and is not replaced.
    Dead,
}

/// The sending side of the queue of messages to one shard.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) incoming: Sender<Incoming>,
    pub(super) caller: Caller,
    /// The number of the shard's streams.
    pub(super) load: Arc<AtomicUsize>,
    /// The progress of the shard.
    pub(super) turns: Turns,
}

impl Gate {
    /// Sends a message to the shard. Returns the message if the shard has ended.
    pub(super) fn send(&self, what: Incoming) -> Result<(), Incoming> {
        self.incoming.send(what).map_err(|refused| refused.0)?;
        self.caller.call();
        Ok(())
    }
}

impl Gates {
    pub(super) fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while this lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells all shards that are there, and those that replace one of them later, what `what` makes.
    pub(super) fn tell(&self, what: fn() -> Incoming) {
        let mut open = self.lock();
        open.told = Some(what);
        for gate in open.gates() {
            // Sending fails only if the shard has ended. Such a shard needs no message.
            _ = gate.send(what());
        }
    }

    /// Opens the gate of a shard that replaces the shard with this number.
    pub(super) fn reopen(&self, number: usize, gate: Gate) {
        let mut open = self.lock();
        if let Some(told) = open.told {
            _ = gate.send(told());
        }
        open.slots[number] = Slot::Open(gate);
    }

    /// Notes that a shard has died, and whether another one is about to take its place. Returns true if there is no
    /// shard any more and there will be none.
    pub(super) fn close(&self, number: usize, slot: Slot) -> bool {
        let mut open = self.lock();
        open.slots[number] = slot;
        open.slots.iter().all(|slot| matches!(slot, Slot::Dead))
    }
}

impl Open {
    /// The gates of the shards that take streams.
    pub(super) fn gates(&self) -> impl Iterator<Item = &Gate> {
        self.slots.iter().filter_map(|slot| match slot {
            Slot::Open(gate) => Some(gate),
            Slot::Closed | Slot::Dead => None,
        })
    }
}
