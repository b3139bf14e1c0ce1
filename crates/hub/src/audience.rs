//! An audience: all subscribers with the same matchers, the same grant and the same representation. They share one
//! window, so that an update is matched and checked once for all of them. It is encoded once for all audiences that see
//! the same of it.
use crate::{
    audience_key::AudienceKey,
    position::Offset,
    run::Run,
    window::{Window, WindowLimit},
};
use bytes::Bytes;
use slab::Slab;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// The members of one audience that are polled, and the wire events that some of them still need.
#[derive(Debug)]
pub(crate) struct Audience {
    pub(crate) key: Arc<AudienceKey>,
    /// Lock order: that of all [`Audiences`](crate::audiences::Audiences), if it is held at all, comes before this one.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    window: Window,
    members: Slab<Member>,
    /// The number of members that wait at the head. When all do, the window is of use to nobody.
    waiting: usize,
}

/// A member's place in the slab; it is the member's until [`Audience::leave`].
pub(crate) type MemberKey = usize;

#[derive(Debug, Default)]
struct Member {
    /// Set while the member waits at the head.
    waker: Option<Waker>,
}

/// The events that a member finds behind its cursor.
pub(crate) enum Found {
    /// Wire events.
    Run(Run),
    /// The window begins behind the cursor: the log has what comes next.
    OutOfWindow,
}

impl Audience {
    /// An audience whose window begins nowhere yet.
    pub(crate) fn new(key: Arc<AudienceKey>, limit: WindowLimit) -> Self {
        let window = Window::new(Offset::ZERO, limit);
        Self { key, state: Mutex::new(State { window, members: Slab::new(), waiting: 0 }) }
    }

    /// Begins the window: from `offset` on every matching event has been delivered here, or will be.
    pub(crate) fn begin(&self, offset: Offset) {
        self.lock().window.begin(offset);
    }

    pub(crate) fn join(&self) -> MemberKey {
        self.lock().members.insert(Member::default())
    }

    /// Removes a member and says whether it was the last one.
    pub(crate) fn leave(&self, member: MemberKey) -> bool {
        let mut state = self.lock();
        if state.members.remove(member).waker.is_some() {
            state.waiting -= 1;
        }
        state.forget_what_nobody_needs();
        state.members.is_empty()
    }

    /// Takes in the wire events of one batch, in order, and wakes everybody who waits.
    pub(crate) fn deliver(&self, events: &[(Offset, Bytes)]) {
        let woken: Vec<Waker> = {
            let mut state = self.lock();
            for (offset, event) in events {
                state.window.push(*offset, event.clone());
            }
            state.waiting = 0;
            state.members.iter_mut().filter_map(|(_, member)| member.waker.take()).collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// The events behind `cursor`; pending, and woken by the next delivery, if nothing does.
    pub(crate) fn poll_behind(
        &self,
        member: MemberKey,
        cursor: Offset,
        most_bytes: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Found> {
        let mut state = self.lock();
        if cursor < state.window.begins_after() {
            return Poll::Ready(Found::OutOfWindow);
        }
        if let Some(run) = state.window.read(cursor, most_bytes) {
            return Poll::Ready(Found::Run(run));
        }
        let waker = &mut state.members[member].waker;
        let began_to_wait = waker.is_none();
        match waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => *waker = Some(cx.waker().clone()),
        }
        state.waiting += usize::from(began_to_wait);
        state.forget_what_nobody_needs();
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics halfway through a change, so a poisoned state is still a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn forget_what_nobody_needs(&mut self) {
        if self.waiting == self.members.len() {
            self.window.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{grant::Matchers, representation::Representation};

    const PLENTY: usize = 1_000;

    /// Polls a member that is at `cursor`: its new cursor, or `None` if it waits now.
    fn poll(audience: &Audience, member: MemberKey, cursor: u64) -> Option<u64> {
        match audience.poll_behind(member, Offset(cursor), PLENTY, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Found::Run(run)) => Some(run.last().0),
            Poll::Ready(Found::OutOfWindow) => panic!("out of the window"),
            Poll::Pending => None,
        }
    }

    fn deliver(audience: &Audience, offset: u64) {
        audience.deliver(&[(Offset(offset), Bytes::from_static(b"x"))]);
    }

    fn begins_after(audience: &Audience) -> u64 {
        audience.lock().window.begins_after().0
    }

    #[test]
    fn the_window_is_forgotten_when_everybody_has_passed_it_and_not_before() {
        let matchers = Matchers::any();
        let key = AudienceKey { granted: matchers.clone(), matchers, representation: Representation::EventStream };
        let audience = Audience::new(Arc::new(key), WindowLimit::default());
        let (quick, slow) = (audience.join(), audience.join());
        assert_eq!((poll(&audience, quick, 0), poll(&audience, slow, 0)), (None, None));
        for offset in 1..=3 {
            deliver(&audience, offset);
            assert_eq!(poll(&audience, quick, offset - 1), Some(offset));
            assert_eq!(poll(&audience, quick, offset), None);
            assert_eq!(begins_after(&audience), 0, "the slow one still needs it");
        }
        assert_eq!(poll(&audience, slow, 0), Some(3), "all in one run");
        assert_eq!(poll(&audience, slow, 3), None);
        assert_eq!(begins_after(&audience), 3);
        deliver(&audience, 4);
        assert_eq!(poll(&audience, quick, 3), Some(4));
        assert_eq!(poll(&audience, quick, 4), None);
        assert!(!audience.leave(slow), "one is left");
        assert_eq!(begins_after(&audience), 4, "whoever needed it has left");
        assert!(audience.leave(quick));
    }
}
