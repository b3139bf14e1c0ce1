//! A shard: one thread that owns sockets, and delivers to them. Nobody else touches what it has, so nothing here takes
//! a lock, and nothing here waits but for the next thing to do.
//!
//! [`deliver`] is an event's way from the mailbox to the sockets of those who wait for it, [`advance`] the way of one
//! who is behind, and [`join`] and [`leave`] are how members come and go. A [`member`] is a subscriber, a [`part`] is
//! what a shard has of an audience.
mod advance;
mod deliver;
mod join;
mod keys;
mod leave;
mod member;
mod part;
mod presence;
#[cfg(test)]
mod stress;
mod timers;

use super::{
    engine::{Engine, Unsent},
    handed::Incoming,
    wheel::Wheel,
};
use crossbeam_channel::Receiver;
use fanfare_hub::{
    WindowLimit,
    mailbox::{Mailbox, PartKey},
};
use keys::MemberKey;
use member::Member;
use mio::{Events, Poll, Token};
use part::Parts;
use presence::Presence;
use slab::Slab;
use std::{
    collections::VecDeque,
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
/// The number of parts for which the log is read at the same time.
const CONCURRENT_READS: usize = 8;

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
    engine: Engine,
    heartbeat_interval: Duration,
    window: WindowLimit,
    places: Arc<Semaphore>,
    load: Arc<AtomicUsize>,
    members: Slab<Member>,
    presence: Presence,
    parts: Parts,
    wheel: Wheel,
    /// Parts that have taken in events and not delivered them.
    news: Vec<PartKey>,
    /// Parts that wait until the log is read for them.
    to_read: VecDeque<PartKey>,
    /// The number of parts for which it is read.
    reads: usize,
    /// The sends that sockets did not take whole.
    unsent: Vec<Unsent>,
    /// Members whose timers have fired, used anew for each time.
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
enum Turn {
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
            engine,
            heartbeat_interval,
            window,
            places,
            load,
            members: Slab::new(),
            presence: Presence::default(),
            parts: Parts::default(),
            wheel: Wheel::new(now),
            news: Vec::new(),
            to_read: VecDeque::new(),
            reads: 0,
            unsent: Vec::new(),
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
        let mut turn = Turn::Wait;
        while !(self.is_stopping && self.members.is_empty()) {
            let patience = match turn {
                Turn::Again => Some(Duration::ZERO),
                _ => self.wheel.next().map(|at| at.saturating_duration_since(Instant::now())),
            };
            match self.poll.poll(&mut events, patience) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            }
            self.now = Instant::now();
            // Before everything is taken out: what comes later rings anew.
            self.mailbox.heard();
            let letters = self.take_letters();
            self.look_after_sockets(&events);
            self.take_steps();
            turn = self.take_in().max(letters);
            self.expire();
            self.start_reads();
            self.shrink();
        }
        Ok(())
    }

    fn look_after_sockets(&mut self, events: &Events) {
        for event in events.iter().filter(|event| event.token() != WAKER) {
            let Ok(key) = MemberKey::try_from(event.token().0) else { continue };
            // Who closes its sending side is taken to have left, as it is by hyper: a browser that goes away looks so.
            if event.is_read_closed() || event.is_write_closed() || event.is_error() {
                self.leave(key);
            } else if event.is_writable() {
                self.writable(key);
            }
        }
    }

    fn member(&self, key: MemberKey) -> &Member {
        &self.members[key as usize]
    }

    fn member_mut(&mut self, key: MemberKey) -> &mut Member {
        &mut self.members[key as usize]
    }

    /// Gives memory back once nobody is left to need it.
    fn shrink(&mut self) {
        if self.members.is_empty() && self.members.capacity() > 0 {
            self.members = Slab::new();
            self.presence = Presence::default();
            self.wheel.shrink();
            (self.unsent, self.due, self.news) = Default::default();
            self.to_read = VecDeque::new();
        }
    }
}

/// A shard that ends by a panic takes its sockets with it, but not the places of those who had them.
impl Drop for Shard {
    fn drop(&mut self) {
        self.places.add_permits(self.members.len());
    }
}
