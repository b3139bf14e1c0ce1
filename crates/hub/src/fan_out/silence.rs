//! The silence of a member: the time since its last event, and when its next heartbeat is due.
//!
//! Some proxies notice only when they pass on two heartbeats that a browser has left. Most browsers leave soon after the
//! beginning of a stream, or after an event that they waited for. So the first three heartbeats of a silence come
//! early, after an eighth, a further quarter and a further half of the interval, but only if events are rare: otherwise
//! such heartbeats would come after each event.
use std::time::Duration;

/// The number of heartbeats of a silence that come early if events are rare. Each comes after twice as long a pause as
/// the one before.
const EARLY_BEATS: u8 = 3;
/// The number of heartbeats after which a silence counts as long: if an event ends such a silence, events are rare.
const LONG_SILENCE: u8 = EARLY_BEATS + 1;
/// The number of looks, one after the other, that have to find an event each, and no heartbeat before it, until events
/// count as frequent. They came at short intervals, because events counted as rare.
const BUSY_LOOKS: u8 = 2;

/// The silence of one member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silence {
    /// The number of heartbeats since the last event, at most [`LONG_SILENCE`].
    beats: u8,
    /// The number of looks with an event after which events count as frequent; 0 if they do already.
    looks_until_frequent: u8,
}

impl Silence {
    /// The silence at the beginning of a stream.
    pub(super) const BEGINNING: Self = Self { beats: 0, looks_until_frequent: BUSY_LOOKS };

    /// Begins anew with an event. Events between which there was no heartbeat, such as events that come together, do
    /// not show whether events are rare.
    pub(super) fn end_with_event(&mut self) {
        if self.beats > 0 {
            self.looks_until_frequent = if self.beats >= LONG_SILENCE { BUSY_LOOKS } else { 0 };
        }
        self.beats = 0;
    }

    /// Notes a look at the member. `had_event` is true if it got an event since the last look.
    pub(super) fn look(&mut self, had_event: bool) {
        if !had_event {
            self.looks_until_frequent = if self.are_events_rare() { BUSY_LOOKS } else { 0 };
        } else if self.beats == 0 {
            self.looks_until_frequent = self.looks_until_frequent.saturating_sub(1);
        } else {
            self.end_with_event();
        }
    }

    fn are_events_rare(self) -> bool {
        self.looks_until_frequent > 0
    }

    /// Counts a heartbeat.
    pub(super) fn beat(&mut self) {
        self.beats = (self.beats + 1).min(LONG_SILENCE);
    }

    /// The time after the last send at which the next heartbeat is due.
    pub(super) fn pause(self, heartbeat_interval: Duration) -> Duration {
        match (self.are_events_rare(), self.beats) {
            (true, beats @ ..EARLY_BEATS) => heartbeat_interval / (1 << (EARLY_BEATS - beats)),
            _ => heartbeat_interval,
        }
    }

    /// The longest time until the member is looked at again. An event does not move the time of the next look. So this
    /// time must not be so long that the first heartbeats after an event could not come early.
    pub(super) fn longest_look(self, heartbeat_interval: Duration) -> Duration {
        if self.are_events_rare() { heartbeat_interval / 2 } else { heartbeat_interval }
    }
}
