//! An audience: all subscribers with the same matchers, the same grant and the same representation. They share one
//! window, so that an update is matched and checked once for all of them. It is encoded once for all audiences that see
//! the same of it.
use crate::{
    grant::Matchers,
    position::Offset,
    run::Run,
    topic::{Topic, matcher::Matcher},
    update::Update,
    window::{Window, WindowLimit},
    wire::Representation,
};
use bytes::Bytes;
use slab::Slab;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

/// All that two subscribers must have in common to be one audience.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AudienceKey {
    /// The topics that they subscribed to: an update reaches them if one of its topics matches one of these.
    pub matchers: Matchers,
    /// The private updates that they may receive: those with a topic that matches one of these.
    pub granted: Matchers,
    /// The way in which they want their updates written.
    pub representation: Representation,
}

impl AudienceKey {
    /// True if the members get `update`. The two conditions may hold by different topics.
    #[must_use]
    pub fn admits(&self, update: &Update) -> bool {
        self.matches(update.topics()) && self.may_receive(update)
    }

    /// True if the members may get `update`, if they subscribed to it.
    #[must_use]
    pub fn may_receive(&self, update: &Update) -> bool {
        self.may_receive_of(update.topics(), update.is_private())
    }

    /// True if the members subscribed to updates with these topics.
    pub(crate) fn matches(&self, topics: &[Topic]) -> bool {
        topics.iter().any(|topic| self.matchers.matches(topic))
    }

    /// True if the members may get an update with these topics, if they subscribed to it.
    pub(crate) fn may_receive_of(&self, topics: &[Topic], private: bool) -> bool {
        !private || topics.iter().any(|topic| self.granted.matches(topic))
    }

    /// The topics that the members subscribed to, if that are all that they subscribed to: there is no pattern.
    pub(crate) fn exact_topics(&self) -> Option<Vec<Topic>> {
        let exact = |matcher: &Matcher| match matcher {
            Matcher::Exact(topic) => Some(topic.clone()),
            _ => None,
        };
        self.matchers.as_slice().iter().map(exact).collect()
    }
}

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

    /// From `offset` on every matching event has been delivered here, or will be.
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
    use crate::{
        topic::{Topic, matcher::Matcher},
        update::UpdateFields,
    };

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

    /// B15, B35, B36: an update needs a topic that was asked for and, if it is private, one that is granted, wherever
    /// in the list each of them stands.
    #[test]
    fn a_private_update_takes_a_topic_asked_for_and_one_granted() {
        let set = |topics: &[&str]| topics.iter().map(|topic| Matcher::exact(topic).unwrap()).collect::<Matchers>();
        type Topics = &'static [&'static str];
        // Asked for, granted, of the update; whether it comes if it is public, and if it is private.
        let cases: &[(Topics, Topics, Topics, bool, bool)] = &[
            (&["a"], &[], &["a"], true, false),
            (&["a"], &["a"], &["a"], true, true),
            (&["a"], &["b"], &["a", "b"], true, true),
            (&["a"], &["b"], &["b", "a"], true, true),
            (&["a"], &["b"], &["c", "a", "d", "b"], true, true),
            (&["a"], &["b"], &["a", "c"], true, false),
            (&["a"], &["b"], &["c", "b"], false, false),
            (&["a"], &["*"], &["b", "a"], true, true),
            (&["*"], &[], &["a"], true, false),
        ];
        for (matchers, granted, topics, public, private) in cases {
            let key = AudienceKey {
                matchers: set(matchers),
                granted: set(granted),
                representation: Representation::EventStream,
            };
            for (private, expected) in [(false, public), (true, private)] {
                let topics = topics.iter().map(|topic| Topic::new(topic).unwrap()).collect();
                let update = Update::new(UpdateFields { topics, private, ..UpdateFields::default() }).unwrap();
                assert_eq!(key.admits(&update), *expected, "{matchers:?} {granted:?} {update:?}");
            }
        }
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
