//! The making of shards: at the start, and when one has died and another one takes its place.
use super::{
    engine::{Choice, Engine, Started},
    gates::{Gate, Gates, Slot},
    shard::{Equipment, Shard, WAKER},
    turns::Turns,
};
use crate::progress::WriteTimeout;
use crossbeam_channel::unbounded;
use fanfare_hub::{Hub, failure::Failure};
use mio::{Poll, Waker};
use std::{
    any::Any,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::Semaphore};

/// The number of times that a shard is replaced within [`REPLACEMENT_WINDOW`]. A shard that dies more often would die
/// again.
pub(super) const REPLACEMENTS: usize = 5;
/// The time in which [`REPLACEMENTS`] are counted.
const REPLACEMENT_WINDOW: Duration = Duration::from_secs(60);

/// The values from which shards are made, at the start and later.
#[derive(Clone, Debug)]
pub(super) struct Makings {
    pub(super) hub: Hub,
    pub(super) heartbeat_interval: Duration,
    pub(super) write_timeout: Option<WriteTimeout>,
    pub(super) places: Arc<Semaphore>,
    /// The runtime on which the log is read for the shards.
    pub(super) runtime: Handle,
    pub(super) choice: Choice,
}

impl Makings {
    /// Runs a shard until it is told to stop. If it dies, another one takes its place. If the last shard cannot be
    /// replaced, the hub has failed.
    pub(super) fn keep(&self, number: usize, shard: Shard, gates: &Gates) {
        let (mut shard, mut deaths) = (shard, Vec::new());
        loop {
            let why = match catch_unwind(AssertUnwindSafe(|| shard.run())) {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error.to_string(),
                Err(panic) => text_of(&*panic).to_owned(),
            };
            tracing::error!("delivery thread {number} has failed, and all its streams have ended: {why}");
            gates.close(number, Slot::Closed);
            deaths.retain(|at: &Instant| at.elapsed() < REPLACEMENT_WINDOW);
            deaths.push(Instant::now());
            let replaced = match deaths.len() <= REPLACEMENTS {
                true => self.make(),
                false => Err(io::Error::other(format!("it has failed {} times in a minute", deaths.len()))),
            };
            match replaced {
                Ok((gate, next, _)) => {
                    gates.reopen(number, gate);
                    shard = next;
                    tracing::warn!("delivery thread {number} takes subscribers again");
                }
                Err(error) => {
                    tracing::error!("delivery thread {number} is not replaced: {error}");
                    if gates.close(number, Slot::Dead) {
                        self.hub.fail(Failure::Delivery);
                    }
                    return;
                }
            }
        }
    }

    /// Returns a shard, the way to it, and the engine that it uses.
    pub(super) fn make(&self) -> io::Result<(Gate, Shard, Started)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let _entered = self.runtime.enter();
        let mailbox = self.hub.mailbox(move || {
            if let Err(error) = waker.wake() {
                tracing::error!("cannot wake a shard: {error}");
            }
        });
        let (engine, started) = Engine::start(self.choice);
        let (sender, incoming) = unbounded();
        let (caller, load, turns) = (mailbox.caller(), Arc::<AtomicUsize>::default(), Turns::default());
        let shard = Shard::new(Equipment {
            poll,
            mailbox,
            incoming,
            engine,
            heartbeat_interval: self.heartbeat_interval,
            write_timeout: self.write_timeout,
            window: self.hub.window_limit(),
            places: self.places.clone(),
            load: load.clone(),
            turns: turns.clone(),
            runtime: self.runtime.clone(),
        });
        Ok((Gate { incoming: sender, caller, load, turns }, shard, started))
    }
}

/// Returns the message of a panic.
fn text_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it has panicked")
}
