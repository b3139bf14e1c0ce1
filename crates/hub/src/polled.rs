//! The driver of [`FanOut`] for subscriptions that are polled. Each member has room for one frame: bytes that the
//! member's subscription takes out when it is polled. The router's thread fills the frames, and does not wait until
//! they are taken out.
//!
//! The audiences are divided among a fixed number of groups. Each group has a state machine behind a lock. All members
//! of an audience are in one group, so they share one window.
use crate::{
    audience_key::AudienceKey,
    bundle::{Bundle, PartKey},
    catch_up::ReadStep,
    ending::EndReason,
    failure::Failures,
    fan_out::{Departed, Departure, FanOut, Joining, MemberKey, Outgoing, Transmit, Unsent, Wanted},
    join_permit::JoinPermit,
    log::LogError,
    position::Offset,
    router::{Recipient, Router},
    window::WindowLimit,
};
use bytes::Bytes;
use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    io,
    sync::{Arc, Mutex, Weak},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// The number of groups. Polls of subscriptions in different groups do not wait for each other.
const GROUPS: usize = 16;

/// The message of the panic if a group is used after a change of its state has panicked. The state cannot be trusted
/// after this, so every later poll panics, too.
const NOBODY_PANICKED: &str = "no change of the group's state has panicked";

/// All groups of polled subscriptions of a hub.
#[derive(Debug)]
pub(crate) struct Polled {
    groups: Box<[Arc<Group>]>,
    hasher: RandomState,
}

impl Polled {
    /// Returns groups without members, and registers them with the router.
    pub(crate) fn new(router: &Router, window: WindowLimit, failures: &Failures) -> Self {
        let hasher = RandomState::new();
        let group = |number| Group::new(router.clone(), failures.clone(), window, hasher.hash_one(number));
        Self { groups: (0..GROUPS).map(group).collect(), hasher }
    }

    /// Returns the group that an audience belongs to.
    pub(crate) fn group(&self, key: &AudienceKey) -> &Arc<Group> {
        let groups = self.groups.len() as u64;
        let place = usize::try_from(self.hasher.hash_one(key) % groups).expect("a group's index fits into a usize");
        &self.groups[place]
    }
}

/// A group of audiences that share one state machine.
#[derive(Debug)]
pub(crate) struct Group {
    router: Router,
    failures: Failures,
    /// The router's number for this group.
    number: usize,
    /// The state of the group. Lock order: this lock is taken before the locks of the log. The router holds no other
    /// lock when it takes this one.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    fan_out: FanOut,
    frames: Frames,
    /// The streams that have ended and whose subscriptions have not been dropped yet.
    ended: HashMap<Ticket, Ended>,
    tickets: Ticket,
}

/// A number that is different for all subscriptions of a group. A member's key, in contrast, is used again after the
/// member has left.
type Ticket = u64;

/// The key and the ticket by which a group identifies a subscription.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    member: MemberKey,
    ticket: Ticket,
}

/// A stream that has ended.
#[derive(Debug)]
struct Ended {
    /// The last bytes of the stream, until the subscription takes them out; then empty.
    frame: Bytes,
    /// The error, if the stream ended because the log cannot be read, or because of a budget. It comes after the frame.
    error: Option<LogError>,
}

/// The frames of all members, indexed by the members' keys, and the wakers of the tasks that have to be woken.
#[derive(Debug, Default)]
struct Frames {
    slots: Vec<Slot>,
    woken: Vec<Waker>,
}

/// The room for one frame of one member.
#[derive(Debug, Default)]
struct Slot {
    ticket: Ticket,
    /// The bytes that wait to be taken out; empty if there are none.
    frame: Bytes,
    /// True if the member takes no bytes yet, because a rewind has to be sent first.
    is_shut: bool,
    /// The waker of the task that waits for a frame.
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
    /// Puts bytes into a member's frame. Returns false if the member has no room.
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
    fn new(router: Router, failures: Failures, window: WindowLimit, seed: u64) -> Arc<Self> {
        let fan_out = FanOut::new(window, seed);
        let state = State { fan_out, frames: Frames::default(), ended: HashMap::new(), tickets: 0 };
        Arc::new_cyclic(|group: &Weak<Self>| {
            let group = group.clone();
            let take =
                Recipient::Group(Box::new(move |bundle| group.upgrade().is_some_and(|group| group.take(&bundle))));
            let number = router.add_recipient(take);
            Self { router, failures, number, state: Mutex::new(state) }
        })
    }

    /// Delivers the events of a batch. The router calls this function. Returns false if the group cannot be used any
    /// more.
    fn take(&self, bundle: &Bundle) -> bool {
        let taken = self.try_act(|State { fan_out, frames, .. }| {
            let mut turn = fan_out.turn(Instant::now(), frames);
            bundle.iter().for_each(|(part, events)| turn.take_events(*part, events));
            turn.deliver();
        });
        taken.is_some()
    }

    /// Makes a subscriber a member. If `is_shut` is true, the subscriber gets nothing before [`open`](Self::open).
    /// `head` returns the newest offset of the log, and `place` the ID of a position.
    pub(crate) fn join(
        &self,
        joining: Joining,
        is_shut: bool,
        permit: JoinPermit,
        now: Instant,
        head: impl Fn() -> Offset,
        place: impl Fn(Offset) -> String,
    ) -> Seat {
        let key = joining.key.clone();
        let follow = |part| {
            self.router.follow(key, (self.number, part), permit);
            // The newest offset of the log is read after the request was sent, so that everything that is appended
            // after this offset is delivered.
            head()
        };
        self.act(|State { fan_out, frames, tickets, .. }| {
            let member = fan_out.join(joining, now, follow, &head, &place);
            *tickets += 1;
            if frames.slots.len() <= member as usize {
                frames.slots.resize_with(member as usize + 1, Slot::default);
            }
            *frames.slot(member) = Slot { ticket: *tickets, is_shut, ..Slot::default() };
            fan_out.turn(now, frames).start(member);
            Seat { member, ticket: *tickets }
        })
    }

    /// Lets a member that joined with `is_shut` get frames from now on. `spoke` is the time when bytes were last sent
    /// to its subscriber.
    pub(crate) fn open(&self, seat: Seat, spoke: Instant) {
        self.act(|state| {
            if state.has(seat) {
                state.fan_out.spoke_at(seat.member, spoke);
                state.frames.slot(seat.member).is_shut = false;
            }
        });
    }

    /// Removes a member. This function is called when a subscription is dropped, so it does not panic if the group
    /// cannot be used any more.
    pub(crate) fn leave(&self, seat: Seat) {
        self.try_act(|state| {
            if state.has(seat) {
                state.fan_out.leave(seat.member);
            }
            state.ended.remove(&seat.ticket);
        });
    }

    /// Returns the next frame of a member; `None` if its stream has ended. Sets `reached` to the position that the
    /// member has reached with this frame, unless the frame ends within an event.
    pub(crate) fn poll(
        &self,
        seat: Seat,
        reached: &mut Option<Offset>,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, LogError>>> {
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
            // The frame contains all bytes that were sent to the member and not taken out yet. So the position that the
            // member has reached is the position after the frame.
            if !state.fan_out.is_within_event(seat.member) {
                *reached = Some(state.fan_out.reached(seat.member));
            }
            Poll::Ready(Some(Ok(std::mem::take(&mut slot.frame))))
        })
    }

    /// True if a member's stream has not ended.
    pub(crate) fn has(&self, seat: Seat) -> bool {
        self.look(|state| state.has(seat))
    }

    /// Returns the steps through the log that members need. The caller must read each of them and pass the result to
    /// [`step`](Self::step).
    pub(crate) fn take_reads(&self) -> Vec<Wanted> {
        self.look(|state| std::iter::from_fn(|| state.fan_out.next_read()).collect())
    }

    /// Sends a step through the log to the members that need it. Returns the next step to read, if one is needed. If
    /// the step would exceed a budget, the members are told to come back later. `place` returns the ID of a position.
    pub(crate) fn step(
        &self,
        part: PartKey,
        step: ReadStep,
        now: Instant,
        place: impl Fn(Offset) -> String,
    ) -> Option<Wanted> {
        self.act(|state| {
            let mut turn = state.fan_out.turn(now, &mut state.frames);
            match step {
                Ok(step) => turn.take_step(part, &step),
                Err(error @ LogError::OverBudget(_)) => {
                    turn.end_readers(part, EndReason::Later, &place);
                    state.settle_failed(&error);
                }
                Err(error) => {
                    turn.cannot_read(part);
                    state.settle_failed(&error);
                }
            }
            state.fan_out.next_read()
        })
    }

    /// Notes that the log will not be read for a part, because the runtime of its reader has ended. Wakes all tasks
    /// that wait for frames of the group, so that one of them starts the reads that other parts need. This function is
    /// called when the reader is dropped, so it does not panic if the group cannot be used any more.
    pub(crate) fn give_up(&self, part: PartKey, error: &LogError, now: Instant) {
        self.try_act(|state| {
            state.fan_out.turn(now, &mut state.frames).cannot_read(part);
            state.settle_failed(error);
            let Frames { slots, woken } = &mut state.frames;
            woken.extend(slots.iter_mut().filter_map(|slot| slot.waker.take()));
        });
    }

    /// Returns the time when [`expire`](Self::expire) has to be called for a member; `None` if its stream has ended.
    pub(crate) fn deadline(&self, seat: Seat, now: Instant, heartbeat_interval: Duration) -> Option<Instant> {
        self.look(|state| state.has(seat).then(|| state.fan_out.deadline(seat.member, now, heartbeat_interval)))
    }

    /// Sends a member a heartbeat if one is due, or ends its stream if its end time has come. `held` is the number
    /// of entries that the log holds, and `place` returns the ID of a position.
    pub(crate) fn expire(
        &self,
        seat: Seat,
        now: Instant,
        heartbeat_interval: Duration,
        held: u64,
        place: impl Fn(Offset) -> String,
    ) {
        // The offset is read before the group is locked. So the router has delivered everything up to this offset.
        let routed = self.router.routed();
        self.act(|state| {
            if state.has(seat) {
                state.fan_out.routed(routed);
                let mut turn = state.fan_out.turn(now, &mut state.frames);
                turn.expire(&[seat.member], heartbeat_interval, held, &place);
            }
        });
    }

    /// Ends a member's stream after the event that it has begun to get.
    pub(crate) fn end(&self, seat: Seat, now: Instant) {
        self.act(|state| {
            if state.has(seat) {
                state.fan_out.turn(now, &mut state.frames).end(seat.member);
            }
        });
    }

    /// Does the same as [`end`](Self::end), but sends the member an event with the reason. `place` returns the ID of a
    /// position.
    pub(crate) fn end_because(&self, seat: Seat, reason: EndReason, now: Instant, place: impl Fn(Offset) -> String) {
        // The offset is read before the group is locked. So the router has delivered everything up to this offset.
        let routed = self.router.routed();
        self.act(|state| {
            if state.has(seat) {
                state.fan_out.routed(routed);
                state.fan_out.turn(now, &mut state.frames).end_because(seat.member, reason, &place);
            }
        });
    }

    /// Changes the state, handles the members that have left, and then wakes the tasks for which there is a frame or an
    /// end.
    fn act<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.try_act(change).expect(NOBODY_PANICKED)
    }

    /// Does the same as [`act`](Self::act). Returns `None` if an earlier change has panicked.
    fn try_act<T>(&self, change: impl FnOnce(&mut State) -> T) -> Option<T> {
        let (result, woken) = {
            let mut state = self.state.lock().ok()?;
            let _guard = self.failures.on_panic("a group of subscriptions");
            let result = change(&mut state);
            state.settle(&self.router, self.number);
            (result, std::mem::take(&mut state.frames.woken))
        };
        woken.into_iter().for_each(Waker::wake);
        Some(result)
    }

    /// Calls `look` with the state. No member leaves in this call, and no task has to be woken.
    fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().expect(NOBODY_PANICKED);
        let _guard = self.failures.on_panic("a group of subscriptions");
        look(&mut state)
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

    /// Ends the streams of the members that have left because the log could not be read, with this error.
    fn settle_failed(&mut self, error: &LogError) {
        for Departed { member, .. } in self.fan_out.take_departed() {
            self.end(member, Some(error.again()));
        }
    }

    /// Handles the members that have left, and asks the router for no more events of audiences that have no members any
    /// more.
    fn settle(&mut self, router: &Router, number: usize) {
        for Departed { member, how, .. } in self.fan_out.take_departed() {
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
