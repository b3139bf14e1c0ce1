//! Heartbeats and ends. A member has one timer: when the sooner of the two is due. Events do not touch it; a timer that
//! fires looks when something was last sent.
use super::{
    Shard,
    keys::MemberKey,
    member::{Member, State},
};
use crate::delivery::{
    engine::Send,
    pace::{LEAST_SPREAD, spread},
};
use bytes::Bytes;
use std::time::Instant;

impl Shard {
    /// Sets a member's timer. Jittered, so that those who came together do not go on speaking together.
    pub(super) fn schedule(&mut self, key: MemberKey) {
        let member = self.member(key);
        let pause = self.heartbeat_interval.mul_f64(spread());
        let heartbeat = self.spoke(member) + pause;
        // One that has been silent for longer than that cannot speak; it is looked at again after as long a time.
        let heartbeat = if heartbeat > self.now { heartbeat } else { self.now + pause };
        let at = member.ends.map_or(heartbeat, |ends| ends.min(heartbeat));
        self.wheel.schedule(key, at);
    }

    /// The time when something was last sent to a member.
    fn spoke(&self, member: &Member) -> Instant {
        match member.state {
            State::Waits(_) => member.spoke.max(self.parts.get(member.part).spoke),
            State::Full | State::CatchesUp | State::Ends => member.spoke,
        }
    }

    /// Does what is due.
    pub(super) fn expire(&mut self) {
        self.now = Instant::now();
        let mut due = std::mem::take(&mut self.due);
        self.wheel.expire(self.now, &mut due);
        due.retain(|key| self.is_to_speak(*key));
        self.speak(&due);
        due.clear();
        self.due = due;
    }

    /// Ends the stream of a member whose time has come, and otherwise says whether it needs a heartbeat. One that does
    /// not gets a new timer.
    fn is_to_speak(&mut self, key: MemberKey) -> bool {
        let member = self.member(key);
        if member.ends.is_some_and(|ends| ends <= self.now) {
            match member.state {
                State::Ends => self.close(key),
                _ => self.end_because(key),
            }
            return false;
        }
        let is_silent = self.spoke(member) + self.heartbeat_interval.mul_f64(LEAST_SPREAD) <= self.now;
        // A socket that is full needs no sign of life: it is the peer's turn to give one.
        let speaks = is_silent && matches!(member.state, State::Waits(_));
        if !speaks {
            self.schedule(key);
        }
        speaks
    }

    fn speak(&mut self, silent: &[MemberKey]) {
        let Self { engine, members, parts, unsent, now, .. } = self;
        for key in silent {
            members[*key as usize].spoke = *now;
        }
        let sends = silent.iter().map(|key| {
            let member = &members[*key as usize];
            let bytes = parts.get(member.part).key.representation.heartbeat();
            Send { key: *key, socket: &member.socket, bytes }
        });
        engine.send(sends, unsent);
        for (key, sent) in self.take_full() {
            let member = self.member(key);
            let part = self.parts.get(member.part);
            let left = Bytes::from_static(&part.key.representation.heartbeat()[sent..]);
            self.is_full(key, member.cursor.max(part.head), [left, Bytes::new()]);
        }
        for key in silent {
            if self.members.contains(*key as usize) {
                self.schedule(*key);
            }
        }
    }
}
