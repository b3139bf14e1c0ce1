//! A shard: one thread that owns sockets and delivers streams to them. No other thread uses the shard's data, so the
//! shard needs no lock. It waits only when it has nothing to do.
//!
//! [`FanOut`] decides which bytes a socket gets; a shard connects it to real sockets. [`sockets`] sends, [`join`] takes
//! in subscribers, [`leave`] removes them, and [`progress`] gives up those that take nothing.
mod join;
mod leave;
mod presence;
mod progress;
mod seals;
mod signers;
mod sockets;
#[cfg(test)]
mod stress;

use super::{engine::Engine, incoming::Incoming, turns::Turns, wheel::Wheel};
use crate::{
    progress::{Wait, WriteTimeout},
    seldom::Seldom,
};
use crossbeam_channel::Receiver;
use fanfare_hub::{
    WindowLimit,
    ending::EndReason,
    fan_out::{FanOut, MemberKey},
    log::LogError,
    mailbox::{MAILBOX_BUNDLES, Mailbox},
};
use mio::{Events, Poll, Token};
use presence::Presence;
use signers::MembersBySigner;
use sockets::Sockets;
use std::{
    collections::HashMap,
    io,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant},
};
use tokio::{runtime::Handle, sync::Semaphore};

/// The poll token of the waker. The tokens of sockets are the keys of their members, which begin at 0.
pub(super) const WAKER: Token = Token(usize::MAX);
/// The greatest number of sockets that one call of `poll` reports.
const EVENTS: usize = 1_024;
/// The number of subscribers that a shard adds in one turn of its loop, before it serves its other subscribers again.
const JOINS_AT_ONCE: usize = 256;

/// The values from which a shard is made.
pub(super) struct Equipment {
    pub(super) poll: Poll,
    pub(super) mailbox: Mailbox,
    pub(super) incoming: Receiver<Incoming>,
    pub(super) engine: Engine,
    pub(super) heartbeat_interval: Duration,
    /// The rule by which subscribers that take nothing are given up; `None` gives up nobody.
    pub(super) write_timeout: Option<WriteTimeout>,
    pub(super) window: WindowLimit,
    /// The permits for subscribers. The shard returns a permit when a stream ends.
    pub(super) places: Arc<Semaphore>,
    /// The number of members. A new stream goes to the shard that has the fewest.
    pub(super) load: Arc<AtomicUsize>,
    /// The progress of the shard.
    pub(super) turns: Turns,
    /// The runtime that sends the last bytes of streams whose sockets have no room for them.
    pub(super) runtime: Handle,
}

/// The state of a shard's thread.
pub(super) struct Shard {
    poll: Poll,
    mailbox: Mailbox,
    incoming: Receiver<Incoming>,
    heartbeat_interval: Duration,
    write_timeout: Option<WriteTimeout>,
    places: Arc<Semaphore>,
    load: Arc<AtomicUsize>,
    runtime: Handle,
    /// The limiter for the warnings that a subscriber could not be taken over.
    refused: Seldom,
    fan_out: FanOut,
    sockets: Sockets,
    presence: Presence,
    signers: MembersBySigner,
    wheel: Wheel,
    /// The waits for members that had bytes on their way when they were looked at.
    waits: HashMap<MemberKey, Wait>,
    /// The members whose timers have fired. The vector is kept between turns of the loop, so that its memory is used
    /// again.
    due: Vec<MemberKey>,
    /// True if streams end as soon as they have begun.
    is_ending: bool,
    /// True if the thread ends when no stream is left.
    is_stopping: bool,
    /// True if the thread ends at once, whatever streams are left.
    is_aborted: bool,
    /// The time when this turn of the loop began.
    now: Instant,
}

/// The decision whether a shard waits before the next turn of its loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    /// The shard waits for its sockets, its timers or a message.
    Wait,
    /// The shard continues without waiting, because there may be more work.
    Again,
}

impl Shard {
    pub(super) fn new(equipment: Equipment) -> Self {
        let Equipment {
            poll,
            mailbox,
            incoming,
            engine,
            heartbeat_interval,
            write_timeout,
            window,
            places,
            load,
            turns,
            runtime,
        } = equipment;
        let now = Instant::now();
        Self {
            poll,
            mailbox,
            incoming,
            heartbeat_interval,
            write_timeout,
            places,
            load,
            runtime,
            refused: Seldom::default(),
            fan_out: FanOut::new(window, fastrand::u64(..)),
            sockets: Sockets::new(engine, turns),
            presence: Presence::default(),
            signers: MembersBySigner::default(),
            wheel: Wheel::new(now),
            waits: HashMap::new(),
            due: Vec::new(),
            is_ending: false,
            is_stopping: false,
            is_aborted: false,
            now,
        }
    }

    /// Delivers streams until the server stops.
    ///
    /// # Errors
    /// If the system cannot wait for the sockets.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut next = Next::Wait;
        while !(self.is_aborted || (self.is_stopping && self.fan_out.is_empty())) {
            let patience = match next {
                Next::Again => Some(Duration::ZERO),
                Next::Wait => self.wheel.next().map(|at| at.saturating_duration_since(Instant::now())),
            };
            match self.poll.poll(&mut events, patience) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            self.now = Instant::now();
            // This call comes before the mailbox is emptied. So a bundle of events that arrives after this call wakes
            // the thread again, and is never overlooked.
            self.mailbox.noticed();
            // A thread that reads the number and then wakes the shard sees it change.
            self.sockets.turns().advance();
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

    /// Takes the bundles of events from the mailbox, and delivers them.
    fn take_bundles(&mut self) -> Next {
        // The offset is read before the bundles are taken: if all of them are taken, the members have been sent every
        // event up to this offset.
        let routed = self.mailbox.routed();
        let mut next = Next::Again;
        let mut turn = self.fan_out.turn(self.now, &mut self.sockets);
        // In one turn, at most as many bundles are taken as fit into the mailbox: otherwise a fast publisher could keep
        // this thread from its other work.
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
        if next == Next::Wait {
            self.fan_out.routed(routed);
        }
        self.settle();
        next
    }

    fn look_after_sockets(&mut self, events: &Events) {
        for event in events.iter().filter(|event| event.token() != WAKER) {
            let Ok(key) = MemberKey::try_from(event.token().0) else { continue };
            // A subscriber that closes its sending side counts as gone, also if hyper delivers its stream: a browser
            // that leaves closes its side, and nothing else shows that it has left.
            if event.is_read_closed() || event.is_write_closed() || event.is_error() {
                self.fan_out.leave(key);
            } else {
                if event.is_readable() && self.sockets.is_sealed(key) {
                    // A shard cannot read what this is: that the peer has closed its side, an alert, a new key or a
                    // request. Each of these ends the stream, and the subscriber resumes.
                    self.fan_out.turn(self.now, &mut self.sockets).end(key);
                    self.schedule(key);
                }
                if event.is_writable() {
                    match self.sockets.send_rest(key) {
                        Ok(true) => self.fan_out.turn(self.now, &mut self.sockets).writable(key),
                        Ok(false) => {}
                        Err(_) => self.fan_out.leave(key),
                    }
                }
            }
            self.settle();
        }
    }

    /// Gives the results of reads of the log to the `FanOut`.
    fn take_steps(&mut self) {
        while let Some((part, step)) = self.mailbox.take_step() {
            let (mut turn, mut ended) = (self.fan_out.turn(self.now, &mut self.sockets), Vec::new());
            match step {
                Ok(step) => turn.take_step(part, &step),
                Err(error) => {
                    super::log_end("streams end", &error);
                    if let LogError::OverBudget(_) = error {
                        let place = |offset| self.mailbox.place(offset);
                        ended = turn.end_readers(part, EndReason::Later, &place);
                    } else {
                        turn.cannot_read(part);
                    }
                }
            }
            self.settle();
            ended.into_iter().for_each(|key| self.schedule(key));
        }
    }

    /// Starts reading the log for the members whose turn it is.
    fn start_reads(&mut self) {
        while let Some(wanted) = self.fan_out.next_read() {
            self.mailbox.read(wanted);
        }
    }

    /// Fires the timers that are due: gives up the members that take nothing, sends heartbeats, and ends the streams
    /// whose time is over.
    fn expire(&mut self) {
        self.now = Instant::now();
        let mut due = std::mem::take(&mut self.due);
        self.wheel.expire(self.now, &mut due);
        if !due.is_empty() {
            self.give_up_overdue(&due);
            let (held, place) = (self.mailbox.held(), |offset| self.mailbox.place(offset));
            self.fan_out.turn(self.now, &mut self.sockets).expire(&due, self.heartbeat_interval, held, &place);
            self.settle();
            due.drain(..).for_each(|key| self.schedule(key));
        }
        self.due = due;
    }

    /// Sets the timer of a member, unless it has left.
    fn schedule(&mut self, key: MemberKey) {
        if self.fan_out.contains(key) {
            let deadline = self.fan_out.deadline(key, self.now, self.heartbeat_interval);
            self.wheel.schedule(key, self.next_look(key).map_or(deadline, |look| deadline.min(look)));
        }
    }

    /// Frees memory when no member is left.
    fn shrink(&mut self) {
        if self.fan_out.is_empty() && self.sockets.has_memory() {
            self.fan_out.shrink();
            self.sockets.shrink();
            self.presence = Presence::default();
            self.wheel.shrink();
            self.waits = HashMap::new();
            self.due = Vec::new();
        }
    }
}

/// Returns the permits of all subscribers that the shard still has when it ends, also if it ends by a panic. The
/// sockets of these subscribers are closed when the fields of the shard are dropped.
impl Drop for Shard {
    fn drop(&mut self) {
        // After a panic there may be members that have left, and whose permits were not returned yet.
        self.places.add_permits(self.fan_out.len() + self.fan_out.take_departed().len());
    }
}
