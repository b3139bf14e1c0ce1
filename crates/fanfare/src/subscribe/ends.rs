//! Counts the connections that end before the last event that is expected, and decides whether another connection is
//! worth an attempt.
use std::time::{Duration, Instant};

/// The number of connections in a row that may end without anything new. Otherwise a server that ends each answer would
/// be asked for ever.
pub(super) const MAX_IN_VAIN: u32 = 3;
/// The time after which the end of a connection is normal: proxies close idle connections, and hubs close old ones.
const HEALTHY: Duration = Duration::from_secs(10);

/// The ends of the connections of one stream.
#[derive(Debug, Default)]
pub(super) struct Ends {
    opened: Option<Instant>,
    /// The last event ID when the last connection ended.
    last_event_id: String,
    in_vain: u32,
}

impl Ends {
    /// Notes that a connection was opened.
    pub(super) fn opened(&mut self) {
        self.opened = Some(Instant::now());
    }

    /// Notes that the connection ended with this last event ID. Returns the number of connections in a row that brought
    /// nothing new: each of them ended soon, and had no event with a new ID, after which the next connection could
    /// continue.
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
