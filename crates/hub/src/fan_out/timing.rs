//! Heartbeats and the ends of streams. A member has one deadline: the time of its next heartbeat or of the end of its
//! stream, whichever is earlier. An event does not move the deadline. Instead, when the deadline comes, a heartbeat is
//! sent only if the last send was long enough ago.
use super::{
    FanOut, Outgoing, Transmit, Turn,
    member::{MemberKey, State},
};
use crate::position::Offset;
use bytes::Bytes;
use std::time::{Duration, Instant};

/// The smallest result of [`spread`]: a periodic action is repeated after at least this fraction of its interval.
pub const LEAST_SPREAD: f64 = 0.8;

/// Returns a random fraction of an interval, between [`LEAST_SPREAD`] and 1, so that periodic actions that began at the
/// same time happen at different times later.
pub fn spread(random: &mut fastrand::Rng) -> f64 {
    LEAST_SPREAD + (1.0 - LEAST_SPREAD) * random.f64()
}

/// Returns the time when a stream has to be checked next. Normally this is `pause` after `spoke`, the time when bytes
/// were last sent. If this time has already passed, the subscriber has no room for a heartbeat, and the next check is
/// `pause` after `now`. If the hub ends the stream before that, at `ends`, the next check is at `ends`.
pub(crate) fn deadline(spoke: Instant, ends: Option<Instant>, now: Instant, pause: Duration) -> Instant {
    let heartbeat = spoke + pause;
    let heartbeat = if heartbeat > now { heartbeat } else { now + pause };
    ends.map_or(heartbeat, |ends| ends.min(heartbeat))
}

impl FanOut {
    /// Returns the time when the driver has to call [`Turn::expire`] for a member. A member gets a heartbeat if nothing
    /// was sent to it for 80 to 100 % of `heartbeat_interval`.
    pub fn deadline(&mut self, key: MemberKey, now: Instant, heartbeat_interval: Duration) -> Instant {
        let pause = heartbeat_interval.mul_f64(spread(&mut self.random));
        deadline(self.spoke(key), self.member(key).ends, now, pause)
    }

    /// Notes that bytes were sent to a member at the time `now`. A time before the last noted time is ignored.
    pub fn spoke_at(&mut self, key: MemberKey, now: Instant) {
        let spoke = &mut self.member_mut(key).spoke;
        *spoke = now.max(*spoke);
    }

    /// Returns the time when bytes were last sent to a member.
    fn spoke(&self, key: MemberKey) -> Instant {
        let member = self.member(key);
        match member.state {
            State::Waits(_) => member.spoke.max(self.parts.get(member.part).spoke),
            State::Full | State::CatchesUp(_) | State::Ends => member.spoke,
        }
    }
}

impl<T: Transmit> Turn<'_, T> {
    /// Handles the members whose deadline has come: ends the streams whose end time has come, and sends a heartbeat to
    /// the members to which nothing was sent for at least 80 % of `heartbeat_interval`. Members that have left are
    /// ignored. `place` returns the ID of a position. After this call, the driver must ask for a new
    /// [`deadline`](FanOut::deadline) of each of these members that has not left.
    pub fn expire(&mut self, due: &[MemberKey], heartbeat_interval: Duration, place: &impl Fn(Offset) -> String) {
        let mut silent = Vec::new();
        for key in due.iter().copied().filter(|key| self.core.contains(*key)).collect::<Vec<_>>() {
            let member = self.core.member(key);
            if member.ends.is_some_and(|ends| ends <= self.now) {
                match member.state {
                    State::Ends => self.core.close(key),
                    _ => self.end_because(key, place),
                }
            } else if self.is_to_speak(key, heartbeat_interval) {
                silent.push(key);
            }
        }
        self.speak(&silent);
    }

    fn is_to_speak(&self, key: MemberKey, heartbeat_interval: Duration) -> bool {
        let is_silent = self.core.spoke(key) + heartbeat_interval.mul_f64(LEAST_SPREAD) <= self.now;
        // A member without room gets no heartbeat: its peer has to take earlier bytes first. A member that catches up
        // has room. It may get no bytes for a long time, if few entries of the log are for it.
        is_silent && matches!(self.core.member(key).state, State::Waits(_) | State::CatchesUp(_))
    }

    fn speak(&mut self, silent: &[MemberKey]) {
        let FanOut { members, parts, unsent, .. } = &mut *self.core;
        for key in silent {
            members[*key as usize].spoke = self.now;
        }
        let heartbeat = |key: &MemberKey| parts.get(members[*key as usize].part).key.representation.heartbeat();
        let heartbeats: Vec<_> = silent.iter().map(|key| (*key, Bytes::from_static(heartbeat(key)))).collect();
        self.transmit.send(heartbeats.iter().map(|(key, bytes)| Outgoing::new(*key, bytes, bytes)), unsent);
        for (key, taken) in self.take_full() {
            let cursor = self.core.reached(key);
            let bytes = Bytes::from_static(self.core.audience(key).representation.heartbeat());
            // If no byte of the heartbeat was sent, the heartbeat is dropped: the member's peer has to take earlier
            // bytes first.
            let left = if taken > 0 { bytes.slice(taken..) } else { Bytes::new() };
            self.core.is_full(key, cursor, [left, Bytes::new()]);
        }
    }
}
