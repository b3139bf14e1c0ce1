//! The driver of [`FanOut`] for subscriptions that are polled: a member's room is one frame, which whoever polls takes
//! out. The router fills the frames, and nobody waits for anybody.
//!
//! Audiences are spread over a fixed number of groups, each with a state machine behind a lock. An audience is in one
//! group, so its members share one window.
use crate::{
    audience_key::AudienceKey,
    bundle::{Bundle, PartKey},
    fan_out::{Departed, Departure, FanOut, Joining, MemberKey, Outgoing, Transmit, Unsent, Wanted},
    join_permit::JoinPermit,
    log::LogError,
    mailbox::ReadStep,
    position::Offset,
    router::Router,
    window::WindowLimit,
};
use bytes::Bytes;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    io,
    sync::{Arc, Mutex, MutexGuard, Weak},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// The number of groups. Polls of subscriptions in different groups do not wait for each other.
const GROUPS: usize = 16;

/// All groups.
#[derive(Debug)]
pub(crate) struct Polled {
    groups: Box<[Arc<Group>]>,
    hasher: RandomState,
}

impl Polled {
    /// Groups without members, which the router knows.
    pub(crate) fn new(router: &Router, window: WindowLimit) -> Self {
        let hasher = RandomState::new();
        let group = |number| Group::new(router.clone(), window, hasher.hash_one(number));
        Self { groups: (0..GROUPS).map(group).collect(), hasher }
    }

    /// The group of an audience.
    pub(crate) fn group(&self, key: &AudienceKey) -> &Arc<Group> {
        let groups = self.groups.len() as u64;
        let place = usize::try_from(self.hasher.hash_one(key) % groups).expect("less than the number of groups");
        &self.groups[place]
    }
}

/// Some of the audiences.
#[derive(Debug)]
pub(crate) struct Group {
    router: Router,
    /// The router's number for this group.
    number: usize,
    /// Lock order: this comes before the log's. The router holds none when it takes this one.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    fan_out: FanOut,
    frames: Frames,
    /// The streams that have ended, until their subscriptions have heard of it.
    ended: HashMap<Ticket, Ended>,
    tickets: Ticket,
}

/// A number that no two subscriptions of a group have. A member's key is given out again after it has left.
type Ticket = u64;

/// What the group knows a subscription by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    member: MemberKey,
    ticket: Ticket,
}

/// A stream that has ended.
#[derive(Debug)]
struct Ended {
    /// The last bytes that nobody has taken out; empty if there are none.
    frame: Bytes,
    /// The reason, if it is the log that cannot be read.
    error: Option<LogError>,
}

/// The frames of all members, by their keys, and who is to be woken.
#[derive(Debug, Default)]
struct Frames {
    slots: Vec<Slot>,
    woken: Vec<Waker>,
}

/// The room of one member.
#[derive(Debug, Default)]
struct Slot {
    ticket: Ticket,
    /// The bytes that are to be taken out; empty if there are none.
    frame: Bytes,
    /// True if the member takes nothing yet, because something else comes first.
    is_shut: bool,
    /// Set while somebody waits for a frame.
    waker: Option<Waker>,
}

impl Transmit for Frames {
    fn send<'a>(&mut self, sends: impl Iterator<Item = Outgoing<'a>>, unsent: &mut Vec<Unsent>) {
        let refused = sends.filter_map(|send| (!self.put(send)).then_some(send.member));
        unsent.extend(refused.map(|member| Unsent { member, taken: Ok(0) }));
    }

    fn send_one(&mut self, send: Outgoing<'_>) -> io::Result<usize> {
        Ok(if self.put(send) { send.slice.len() } else { 0 })
    }
}

impl Frames {
    /// Puts bytes into a member's frame. Returns false if it has no room.
    fn put(&mut self, send: Outgoing<'_>) -> bool {
        let slot = self.slot(send.member);
        if slot.is_shut || !slot.frame.is_empty() {
            return false;
        }
        slot.frame = send.to_bytes();
        let waker = slot.waker.take();
        self.woken.extend(waker);
        true
    }

    fn slot(&mut self, member: MemberKey) -> &mut Slot {
        &mut self.slots[member as usize]
    }
}

impl Group {
    fn new(router: Router, window: WindowLimit, seed: u64) -> Arc<Self> {
        let fan_out = FanOut::new(window, seed);
        let state = State { fan_out, frames: Frames::default(), ended: HashMap::new(), tickets: 0 };
        Arc::new_cyclic(|group: &Weak<Self>| {
            let group = group.clone();
            let number = router.add_recipient(move |bundle| group.upgrade().map(|group| group.take(&bundle)).is_some());
            Self { router, number, state: Mutex::new(state) }
        })
    }

    /// Takes in the events of a batch. Called by the router.
    fn take(&self, bundle: &Bundle) {
        self.act(|State { fan_out, frames, .. }| {
            let mut turn = fan_out.turn(Instant::now(), frames);
            bundle.iter().for_each(|(part, events)| turn.take_events(*part, events));
            turn.deliver();
        });
    }

    /// Makes a subscriber a member. If it `is_shut`, it gets nothing before [`open`](Self::open). `head` reads the head
    /// of the log.
    pub(crate) fn join(
        &self,
        joining: Joining,
        is_shut: bool,
        permit: JoinPermit,
        now: Instant,
        head: impl Fn() -> Offset,
    ) -> Seat {
        let key = joining.key.clone();
        let follow = |part| {
            self.router.follow(key, (self.number, part), permit);
            // In this order: whatever is appended behind that head will be delivered.
            head()
        };
        self.act(|State { fan_out, frames, tickets, .. }| {
            let member = fan_out.join(joining, now, follow, &head);
            *tickets += 1;
            if frames.slots.len() <= member as usize {
                frames.slots.resize_with(member as usize + 1, Slot::default);
            }
            *frames.slot(member) = Slot { ticket: *tickets, is_shut, ..Slot::default() };
            fan_out.turn(now, frames).start(member);
            Seat { member, ticket: *tickets }
        })
    }

    /// Lets a member have frames.
    pub(crate) fn open(&self, seat: Seat) {
        self.act(|state| {
            if state.has(seat) {
                state.frames.slot(seat.member).is_shut = false;
            }
        });
    }

    /// Takes a member out.
    pub(crate) fn leave(&self, seat: Seat) {
        self.act(|state| {
            if state.has(seat) {
                state.fan_out.leave(seat.member);
            }
        });
        self.lock().ended.remove(&seat.ticket);
    }

    /// The next frame of a member; `None` if its stream has ended.
    pub(crate) fn poll(&self, seat: Seat, now: Instant, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, LogError>>> {
        self.act(|state| {
            if state.has(seat) && state.frames.slot(seat.member).frame.is_empty() {
                state.fan_out.turn(now, &mut state.frames).writable(seat.member);
                state.settle(&self.router, self.number);
            }
            if !state.has(seat) {
                return Poll::Ready(state.take_end(seat));
            }
            let slot = state.frames.slot(seat.member);
            if slot.frame.is_empty() {
                slot.waker = Some(cx.waker().clone());
                return Poll::Pending;
            }
            state.fan_out.spoke_at(seat.member, now);
            Poll::Ready(Some(Ok(std::mem::take(&mut slot.frame))))
        })
    }

    /// The place that a member has reached; `None` if its stream has ended.
    pub(crate) fn reached(&self, seat: Seat) -> Option<Offset> {
        let state = self.lock();
        state.has(seat).then(|| state.fan_out.reached(seat.member))
    }

    /// The steps through the log that members need. Each is answered with [`step`](Self::step).
    pub(crate) fn take_reads(&self) -> Vec<Wanted> {
        let mut state = self.lock();
        std::iter::from_fn(|| state.fan_out.next_read()).collect()
    }

    /// Takes in a step through the log. Returns the next one, if members need another.
    pub(crate) fn step(&self, part: PartKey, step: ReadStep, now: Instant) -> Option<Wanted> {
        self.act(|state| {
            let mut turn = state.fan_out.turn(now, &mut state.frames);
            match step {
                Ok(step) => turn.take_step(part, &step),
                Err(error) => {
                    turn.cannot_read(part);
                    state.settle_failed(&error);
                }
            }
            state.fan_out.next_read()
        })
    }

    /// Takes in that nobody reads the log for a part. Everybody in the group is woken, so that somebody who is polled
    /// has read on what others need.
    pub(crate) fn give_up(&self, part: PartKey, error: &LogError, now: Instant) {
        self.act(|state| {
            state.fan_out.turn(now, &mut state.frames).cannot_read(part);
            state.settle_failed(error);
            let Frames { slots, woken } = &mut state.frames;
            woken.extend(slots.iter_mut().filter_map(|slot| slot.waker.take()));
        });
    }

    /// The time when a member is to be looked at with [`expire`](Self::expire); `None` if its stream has ended.
    pub(crate) fn deadline(&self, seat: Seat, now: Instant, heartbeat_interval: Duration) -> Option<Instant> {
        let mut state = self.lock();
        state.has(seat).then(|| state.fan_out.deadline(seat.member, now, heartbeat_interval))
    }

    /// Gives a member what is due: a heartbeat, or its end. `place` gives the ID of a place.
    pub(crate) fn expire(
        &self,
        seat: Seat,
        now: Instant,
        heartbeat_interval: Duration,
        place: impl Fn(Offset) -> String,
    ) {
        self.act(|state| {
            if state.has(seat) {
                let mut turn = state.fan_out.turn(now, &mut state.frames);
                turn.expire(&[seat.member], heartbeat_interval, &place);
            }
        });
    }

    /// Ends a member's stream behind what it has begun to get.
    pub(crate) fn end(&self, seat: Seat, now: Instant) {
        self.act(|state| {
            if state.has(seat) {
                state.fan_out.turn(now, &mut state.frames).end(seat.member);
            }
        });
    }

    /// Changes the state, notes who has left, and then wakes everybody for whom there is something.
    fn act<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (result, woken) = {
            let mut state = self.lock();
            let result = change(&mut state);
            state.settle(&self.router, self.number);
            (result, std::mem::take(&mut state.frames.woken))
        };
        woken.into_iter().for_each(Waker::wake);
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A state machine that has panicked is not to be relied on: whoever polls panics as well.
        self.state.lock().expect("nobody has panicked in the middle of a change")
    }
}

impl State {
    /// True if the stream of this subscription has not ended.
    fn has(&self, seat: Seat) -> bool {
        self.fan_out.contains(seat.member) && self.frames.slots[seat.member as usize].ticket == seat.ticket
    }

    fn take_end(&mut self, seat: Seat) -> Option<Result<Bytes, LogError>> {
        let ended = self.ended.get_mut(&seat.ticket)?;
        if !ended.frame.is_empty() {
            return Some(Ok(std::mem::take(&mut ended.frame)));
        }
        ended.error.take().map(Err)
    }

    /// Notes that the log could not be read for those who need it.
    fn settle_failed(&mut self, error: &LogError) {
        for Departed { member, .. } in self.fan_out.take_departed() {
            self.end(member, Some(error.again()));
        }
    }

    /// Notes who has left, and follows no audience of which nobody is left.
    fn settle(&mut self, router: &Router, number: usize) {
        for Departed { member, how } in self.fan_out.take_departed() {
            match how {
                Departure::Gone => drop(std::mem::take(self.frames.slot(member))),
                Departure::Ended | Departure::NoLog => self.end(member, None),
            }
        }
        for (key, part) in self.fan_out.take_abandoned() {
            router.unfollow(key, (number, part));
        }
        self.fan_out.shrink();
        if self.fan_out.is_empty() {
            self.frames.slots = Vec::new();
        }
    }

    fn end(&mut self, member: MemberKey, error: Option<LogError>) {
        let Slot { ticket, frame, waker, .. } = std::mem::take(self.frames.slot(member));
        self.ended.insert(ticket, Ended { frame, error });
        self.frames.woken.extend(waker);
    }
}
