//! Connections that end although the event that is to be the last has not come: whether the next one promises more.
use std::time::{Duration, Instant};

/// The number of connections in a row that may end in vain. A server that ends each answer would be asked for ever
/// otherwise.
pub(super) const MAX_IN_VAIN: u32 = 3;
/// A connection that stood for this long was not in vain: proxies cut what is idle, and hubs what is old.
const HEALTHY: Duration = Duration::from_secs(10);

/// The ends of the connections of one stream.
#[derive(Debug, Default)]
pub(super) struct Ends {
    opened: Option<Instant>,
    /// The last event ID at the last end.
    last_event_id: String,
    in_vain: u32,
}

impl Ends {
    /// A connection was made.
    pub(super) fn opened(&mut self) {
        self.opened = Some(Instant::now());
    }

    /// The connection ended, and this is the last event ID. Returns how many have ended in vain in a row: without an
    /// event that has another ID, behind which the next one goes on, and soon.
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
        assert_eq!(ends.ended("2"), 0, "it has stood");
    }
}
