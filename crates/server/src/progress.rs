//! The rule by which a peer is given up that takes nothing of what is sent to it.
//!
//! The system's `TCP_USER_TIMEOUT` is not this rule. If a peer has little room, and less than the next piece of data
//! needs, Linux counts the time until the peer has room for this whole piece at once. So it gives up a peer that reads
//! slowly but steadily, although the peer acknowledges bytes all the time. This module counts acknowledged bytes: a peer
//! is given up only if bytes were on their way to it for the whole write timeout, and it acknowledged none of them.
//!
//! The owner of a socket looks at it from time to time, and keeps a [`Wait`] for as long as bytes are on their way. The
//! system has no event for an acknowledgement, so a wait begins only with the look that finds bytes on their way. A peer
//! that takes nothing is therefore given up after the write timeout and at most one interval between two looks.
#[cfg_attr(not(target_os = "linux"), path = "progress/tcp_info_absent.rs")]
mod tcp_info;

use std::{
    os::fd::AsFd,
    time::{Duration, Instant},
};
pub(crate) use tcp_info::is_counted;

/// The state of what was sent on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The number of bytes that the peer has acknowledged.
    pub(crate) acknowledged: u64,
    /// The number of packets that the peer has not acknowledged.
    pub(crate) unacknowledged_packets: u32,
    /// The number of bytes that the system has not sent yet, because the peer has no room for them or the network is
    /// slow.
    pub(crate) unsent_bytes: u32,
}

impl Sent {
    /// Returns the state of a connection. `None` if the connection has ended, or if the system does not tell the state.
    pub(crate) fn of(socket: &impl AsFd) -> Option<Self> {
        tcp_info::sent(socket.as_fd())
    }

    fn is_complete(self) -> bool {
        self.unacknowledged_packets == 0 && self.unsent_bytes == 0
    }
}

/// A wait for a peer to acknowledge a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wait {
    /// The number of bytes that the peer had acknowledged when the wait began.
    acknowledged: u64,
    since: Instant,
    /// The time of the last look.
    looked: Instant,
}

/// The result of a look at a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The peer has acknowledged everything.
    Complete,
    /// The peer has still time to acknowledge a byte.
    Waits(Wait),
    /// The peer has acknowledged nothing for the write timeout.
    Overdue,
}

/// The time that a peer has to acknowledge a byte of what was sent to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteTimeout {
    limit: Duration,
    look_interval: Duration,
}

impl WriteTimeout {
    /// Makes the rule from the write timeout and the interval of heartbeats. Returns `None` if there is no write
    /// timeout.
    ///
    /// A connection is looked at when a heartbeat is due, since its timer fires then anyway. If heartbeats are rarer
    /// than the write timeout, there are looks in between.
    pub(crate) fn new(limit: Duration, heartbeat_interval: Duration) -> Option<Self> {
        (!limit.is_zero()).then(|| Self { limit, look_interval: heartbeat_interval.min(limit) })
    }

    /// The write timeout.
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// Returns the time by which the peer is to be looked at next.
    pub(crate) fn next_look(&self, wait: Option<&Wait>, now: Instant) -> Instant {
        let next = now + self.look_interval;
        wait.map_or(next, |wait| next.min(wait.since + self.limit))
    }

    /// Judges a peer. `before` is the wait that the last look has returned, if there is one.
    pub(crate) fn judge(&self, sent: Option<Sent>, before: Option<Wait>, now: Instant) -> Verdict {
        let Some(sent) = sent.filter(|sent| !sent.is_complete()) else { return Verdict::Complete };
        // If the look is late, perhaps the whole machine has stood still. Then acknowledgements may not have been handled
        // yet, and the wait begins anew.
        let is_late = |wait: &Wait| now.saturating_duration_since(wait.looked) > 2 * self.look_interval;
        match before.filter(|before| before.acknowledged == sent.acknowledged && !is_late(before)) {
            Some(wait) if now.saturating_duration_since(wait.since) >= self.limit => Verdict::Overdue,
            Some(wait) => Verdict::Waits(Wait { looked: now, ..wait }),
            None => Verdict::Waits(Wait { acknowledged: sent.acknowledged, since: now, looked: now }),
        }
    }
}

#[cfg(test)]
mod tests;
