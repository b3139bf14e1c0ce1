//! A shard: one thread that owns sockets, and delivers to them. Nobody else touches what it has, so nothing here takes
//! a lock, and nothing here waits but for the next thing to do.
//!
//! Which bytes a socket gets is decided by [`FanOut`]; a shard is its driver for sockets. [`sockets`] sends, [`join`] and
//! [`leave`] are how subscribers come and go.
mod join;
mod leave;
mod presence;
mod sockets;
#[cfg(test)]
mod stress;

use super::{engine::Engine, incoming::Incoming, wheel::Wheel};
use crossbeam_channel::Receiver;
use fanfare_hub::{
    WindowLimit,
    fan_out::{FanOut, MemberKey},
    mailbox::{MAILBOX_BUNDLES, Mailbox},
};
use mio::{Events, Poll, Token};
use presence::Presence;
use sockets::Sockets;
use std::{
    io,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};
use tokio::sync::Semaphore;

/// The token of the waker. Members have theirs from 0 on.
pub(super) const WAKER: Token = Token(usize::MAX);
/// The number of sockets that are looked at after one wait.
const EVENTS: usize = 1_024;
/// The number of subscribers that are taken in before others are served again.
const JOINS_AT_ONCE: usize = 256;

/// All that a shard is given.
pub(super) struct Equipment {
    pub(super) poll: Poll,
    pub(super) mailbox: Mailbox,
    pub(super) incoming: Receiver<Incoming>,
    pub(super) engine: Engine,
    pub(super) heartbeat_interval: Duration,
    pub(super) window: WindowLimit,
    /// Frees a subscriber's place when its stream ends.
    pub(super) places: Arc<Semaphore>,
    /// The number of members, for whoever chooses a shard.
    pub(super) load: Arc<AtomicUsize>,
}

/// The state of a shard's thread.
pub(super) struct Shard {
    poll: Poll,
    mailbox: Mailbox,
    incoming: Receiver<Incoming>,
    heartbeat_interval: Duration,
    places: Arc<Semaphore>,
    load: Arc<AtomicUsize>,
    fan_out: FanOut,
    sockets: Sockets,
    presence: Presence,
    wheel: Wheel,
    /// Members whose timers have fired. Kept to use its memory again.
    due: Vec<MemberKey>,
    /// True if streams end as soon as they have begun.
    is_ending: bool,
    /// True if the thread ends when no stream is left.
    is_stopping: bool,
    /// The time when this turn of the loop began.
    now: Instant,
}

/// The next step of a shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    /// Nothing is left to do but to wait.
    Wait,
    /// There may be more to do at once.
    Again,
}

impl Shard {
    pub(super) fn new(equipment: Equipment) -> Self {
        let Equipment { poll, mailbox, incoming, engine, heartbeat_interval, window, places, load } = equipment;
        let now = Instant::now();
        Self {
            poll,
            mailbox,
            incoming,
            heartbeat_interval,
            places,
            load,
            fan_out: FanOut::new(window, fastrand::u64(..)),
            sockets: Sockets::new(engine),
            presence: Presence::default(),
            wheel: Wheel::new(now),
            due: Vec::new(),
            is_ending: false,
            is_stopping: false,
            now,
        }
    }

    /// Delivers until the server stops.
    ///
    /// # Errors
    /// If it cannot wait for its sockets.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut next = Next::Wait;
        while !(self.is_stopping && self.fan_out.is_empty()) {
            let patience = match next {
                Next::Again => Some(Duration::ZERO),
                Next::Wait => self.wheel.next().map(|at| at.saturating_duration_since(Instant::now())),
            };
            match self.poll.poll(&mut events, patience) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            self.now = Instant::now();
            // Before everything is taken out: for what comes later there is another call.
            self.mailbox.noticed();
            let bundles = self.take_bundles();
            self.look_after_sockets(&events);
            self.take_steps();
            next = self.take_in().max(bundles);
            self.expire();
            self.start_reads();
            self.shrink();
        }
        Ok(())
    }

    /// Takes the batches that have come, and delivers them.
    fn take_bundles(&mut self) -> Next {
        let mut next = Next::Again;
        let mut turn = self.fan_out.turn(self.now, &mut self.sockets);
        // No more than fit the mailbox: a publisher that is quicker than this thread shall not keep it from all else.
        for _ in 0..MAILBOX_BUNDLES {
            let Some(bundle) = self.mailbox.take_bundle() else {
                next = Next::Wait;
                break;
            };
            for (part, events) in bundle {
                turn.take_events(part, &events);
            }
        }
        turn.deliver();
        self.settle();
        next
    }

    fn look_after_sockets(&mut self, events: &Events) {
        for event in events.iter().filter(|event| event.token() != WAKER) {
            let Ok(key) = MemberKey::try_from(event.token().0) else { continue };
            // Who closes its sending side is taken to have left, as it is by hyper: a browser that goes away looks so.
            if event.is_read_closed() || event.is_write_closed() || event.is_error() {
                self.fan_out.leave(key);
            } else if event.is_writable() {
                self.fan_out.turn(self.now, &mut self.sockets).writable(key);
            }
            self.settle();
        }
    }

    /// Takes in the results of reading the log.
    fn take_steps(&mut self) {
        while let Some((part, step)) = self.mailbox.take_step() {
            let mut turn = self.fan_out.turn(self.now, &mut self.sockets);
            match step {
                Ok(step) => turn.take_step(part, &step),
                Err(error) => {
                    tracing::error!("streams end because {error}");
                    turn.cannot_read(part);
                }
            }
            self.settle();
        }
    }

    /// Has the log read for those whose turn it is.
    fn start_reads(&mut self) {
        while let Some(wanted) = self.fan_out.next_read() {
            self.mailbox.read(wanted);
        }
    }

    /// Gives members the heartbeats and ends that are due.
    fn expire(&mut self) {
        self.now = Instant::now();
        let mut due = std::mem::take(&mut self.due);
        self.wheel.expire(self.now, &mut due);
        if !due.is_empty() {
            let place = |offset| self.mailbox.id_behind(offset);
            self.fan_out.turn(self.now, &mut self.sockets).expire(&due, self.heartbeat_interval, &place);
            self.settle();
            due.drain(..).for_each(|key| self.schedule(key));
        }
        self.due = due;
    }

    /// Sets the timer of a member, unless it has left.
    fn schedule(&mut self, key: MemberKey) {
        if self.fan_out.contains(key) {
            self.wheel.schedule(key, self.fan_out.deadline(key, self.now, self.heartbeat_interval));
        }
    }

    /// Gives memory back once nobody is left to need it.
    fn shrink(&mut self) {
        if self.fan_out.is_empty() && self.sockets.has_memory() {
            self.fan_out.shrink();
            self.sockets.shrink();
            self.presence = Presence::default();
            self.wheel.shrink();
            self.due = Vec::new();
        }
    }
}

/// A shard that ends by a panic takes its sockets with it, but not the places of those who had them.
impl Drop for Shard {
    fn drop(&mut self) {
        self.places.add_permits(self.fan_out.len());
    }
}
