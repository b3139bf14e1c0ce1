//! Counts the connections in a row that ended before the event that `--until` names and brought no new event, so that
//! the command stops reconnecting after a few of them.
use std::time::{Duration, Instant};

/// The number of connections in a row without a new event after which the command stops. Without this limit, it would
/// ask a server that ends each answer early again and again, for ever.
pub(super) const MAX_IN_VAIN: u32 = 3;
/// The smallest age of a connection at which its end is normal: proxies close idle connections, and hubs close old
/// connections.
const HEALTHY: Duration = Duration::from_secs(10);

/// The record of how the connections of one stream ended.
#[derive(Debug, Default)]
pub(super) struct Ends {
    opened: Option<Instant>,
    /// The last event ID at the end of the previous connection.
    last_event_id: String,
    in_vain: u32,
}

impl Ends {
    /// Records that a connection was opened.
    pub(super) fn opened(&mut self) {
        self.opened = Some(Instant::now());
    }

    /// Records that the connection ended, and the last event ID at its end. Returns the number of connections in a row,
    /// up to this one, that brought no new event: each of them ended within [`HEALTHY`] and had no event with a new ID.
    pub(super) fn ended(&mut self, last_event_id: &str) -> u32 {
        let has_stood = self.opened.take().is_some_and(|opened| opened.elapsed() >= HEALTHY);
        if has_stood || self.last_event_id != last_event_id {
            self.last_event_id.clear();
            self.last_event_id.push_str(last_event_id);
            self.in_vain = 0;
        } else {
            self.in_vain += 1;
        }
        self.in_vain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_brings_nothing_new_is_in_vain() {
        let mut ends = Ends::default();
        let in_vain = ["", "", "1", "1", "1", "2", "2", "2", "2"].map(|id| {
            ends.opened();
            ends.ended(id)
        });
        assert_eq!(in_vain, [1, 2, 0, 1, 2, 0, 1, 2, MAX_IN_VAIN]);
        ends.opened = Instant::now().checked_sub(HEALTHY);
        assert_eq!(ends.ended("2"), 0, "the connection was open for long");
    }
}
