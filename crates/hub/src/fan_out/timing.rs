//! Heartbeats and the ends of streams. A member has one deadline: the time of its next heartbeat or of the end of its
//! stream, whichever is earlier. An event does not move the deadline. Instead, when the deadline comes, a heartbeat is
//! sent only if the last send was long enough ago.
//!
//! A heartbeat is a comment, or a start event: a member whose topics have no updates does not learn of the offsets that
//! pass meanwhile. When the last place that it was told is many entries old, the heartbeat tells it the newer place.
//! Otherwise the log might have discarded the entries after that last place when the subscriber resumes, and the
//! subscriber would be told of a gap, although it has missed nothing.
use super::{
    FanOut, Outgoing, Transmit, Turn,
    member::{MemberKey, State},
};
use crate::{audience_key::AudienceKey, framing::Framing, position::Offset};
use bytes::Bytes;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The smallest result of [`spread`]: a periodic action is repeated after at least this fraction of its interval.
pub const LEAST_SPREAD: f64 = 0.8;

/// The number of entries after which a member is told its new place, even if the log holds many more.
pub const PLACE_ENTRIES: u64 = 10_000;

/// Returns the number of entries after which a member is told its new place, if the log holds `held` entries: a tenth
/// of them, at most [`PLACE_ENTRIES`].
fn place_interval(held: u64) -> u64 {
    (held / 10).clamp(1, PLACE_ENTRIES)
}

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
    /// was sent to it for 80 to 100 % of `heartbeat_interval`; the first heartbeats of a silence may come earlier.
    pub fn deadline(&mut self, key: MemberKey, now: Instant, heartbeat_interval: Duration) -> Instant {
        let spread = spread(&mut self.random);
        let member = self.member(key);
        let pause = member.silence.pause(heartbeat_interval).mul_f64(spread);
        let deadline = deadline(self.spoke(key, now), member.ends, now, pause);
        deadline.min(now + member.silence.longest_look(heartbeat_interval).mul_f64(spread))
    }

    /// Notes that bytes were sent to a member at the time `now`. A time before the last noted time is ignored.
    pub fn spoke_at(&mut self, key: MemberKey, now: Instant) {
        let (clock, moment) = (self.clock, self.clock.moment(now));
        let spoke = &mut self.member_mut(key).spoke;
        // If the noted moment is after `now`, its time counts as `now`.
        if clock.time_of(*spoke, now) < now {
            *spoke = moment;
        }
    }

    /// Notes the last event and the last send to all waiting members of a member's part as those of the member, if it
    /// waits. Thereby its moment does not become too old.
    fn note_part(&mut self, key: MemberKey, now: Instant) {
        let spoke = self.spoke(key, now);
        let (moment, known) = (self.clock.moment(spoke), self.known(key));
        let member = self.member_mut(key);
        member.silence.look(known > member.told);
        member.told = known;
        member.spoke = moment;
    }

    /// Returns the time when bytes were last sent to a member, to the millisecond.
    fn spoke(&self, key: MemberKey, now: Instant) -> Instant {
        let member = self.member(key);
        let spoke = self.clock.time_of(member.spoke, now);
        match member.state {
            State::Waits(_) => spoke.max(self.parts.get(member.part).spoke),
            State::Full | State::CatchesUp(_) | State::Ends => spoke,
        }
    }
}

impl<T: Transmit> Turn<'_, T> {
    /// Handles the members whose deadline has come: ends the streams whose end time has come, and sends a heartbeat to
    /// the members to which nothing was sent for long enough. Members that have left are
    /// ignored. `held` is the number of entries that the log holds, and `place` returns the ID of a position. After
    /// this call, the driver must ask for a new [`deadline`](FanOut::deadline) of each of these members that has not
    /// left.
    pub fn expire(
        &mut self,
        due: &[MemberKey],
        heartbeat_interval: Duration,
        held: u64,
        place: &impl Fn(Offset) -> String,
    ) {
        let mut silent = Vec::new();
        for key in due.iter().copied().filter(|key| self.core.contains(*key)).collect::<Vec<_>>() {
            self.core.note_part(key, self.now);
            let member = self.core.member(key);
            if member.ends.is_some_and(|ends| ends <= self.now) {
                match (member.state, member.end_reason) {
                    (State::Ends, _) => self.core.close(key),
                    (_, Some(reason)) => self.end_because(key, reason, place),
                    (_, None) => self.end(key),
                }
            } else if self.is_to_speak(key, heartbeat_interval) {
                silent.push(key);
            }
        }
        self.speak(&silent, place_interval(held), place);
    }

    fn is_to_speak(&self, key: MemberKey, heartbeat_interval: Duration) -> bool {
        let pause = self.core.member(key).silence.pause(heartbeat_interval);
        let is_silent = self.core.spoke(key, self.now) + pause.mul_f64(LEAST_SPREAD) <= self.now;
        // A member without room gets no heartbeat: its peer has to take earlier bytes first. A member that catches up
        // has room. It may get no bytes for a long time, if few entries of the log are for it.
        is_silent && matches!(self.core.member(key).state, State::Waits(_) | State::CatchesUp(_))
    }

    /// Sends heartbeats to these members. A member that knows no place of the newest `interval` entries is told its
    /// place.
    fn speak(&mut self, silent: &[MemberKey], interval: u64, place: &impl Fn(Offset) -> String) {
        let mut starts = Starts { place, newest: None };
        let mut heartbeats = Vec::with_capacity(silent.len());
        for key in silent {
            let is_to_be_told = self.core.is_to_be_told(*key, interval);
            let (reached, audience) = (self.core.reached(*key), self.core.audience(*key).clone());
            let member = self.core.member_mut(*key);
            member.spoke = self.moment;
            member.silence.beat();
            heartbeats.push((
                *key,
                match is_to_be_told {
                    true => {
                        member.told = reached;
                        starts.at(reached, &audience)
                    }
                    false => Bytes::from_static(audience.heartbeat()),
                },
            ));
        }
        let sends = heartbeats.iter().map(|(key, bytes)| Outgoing::new(*key, bytes, bytes));
        self.transmit.send(sends, &mut self.core.unsent);
        let full = self.take_full();
        if full.is_empty() {
            return;
        }
        let heartbeats: HashMap<_, _> = heartbeats.into_iter().collect();
        for (key, taken) in full {
            let cursor = self.core.reached(key);
            // If no byte of the heartbeat was sent, the heartbeat is dropped: the member's peer has to take earlier
            // bytes first. If it was a start event, the next heartbeat is one, too.
            let left = if taken > 0 { heartbeats[&key].slice(taken..) } else { Bytes::new() };
            if taken == 0 {
                self.core.member_mut(key).told = Offset::ZERO;
            }
            self.core.is_full(key, cursor, [left, Bytes::new()]);
        }
    }
}

impl FanOut {
    /// True if the next heartbeat has to tell the member its place.
    fn is_to_be_told(&self, key: MemberKey, interval: u64) -> bool {
        self.member(key).gets_places && self.reached(key).0.saturating_sub(self.known(key).0) >= interval
    }

    /// The newest place that a member is known to know.
    fn known(&self, key: MemberKey) -> Offset {
        let member = self.member(key);
        match member.state {
            State::Waits(_) => member.told.max(self.parts.get(member.part).told),
            State::Full | State::CatchesUp(_) | State::Ends => member.told,
        }
    }
}

/// Makes start events. Most members that are told a place at the same time are told the same place, so the newest event
/// is kept.
struct Starts<'a, F> {
    place: &'a F,
    newest: Option<(Offset, Framing, Bytes)>,
}

impl<F: Fn(Offset) -> String> Starts<'_, F> {
    fn at(&mut self, offset: Offset, audience: &AudienceKey) -> Bytes {
        let wanted = (offset, audience.framing);
        if let Some((.., bytes)) = self.newest.as_ref().filter(|(offset, framing, _)| (*offset, *framing) == wanted) {
            return bytes.clone();
        }
        let mut bytes = Vec::new();
        audience.encode_start((self.place)(offset), &mut bytes);
        let bytes = Bytes::from(bytes);
        self.newest = Some((offset, audience.framing, bytes.clone()));
        bytes
    }
}
