//! The order of a subscriber's events: the number of the next event from each publisher, and the fault if another event
//! arrives instead.
use crate::fault::Fault;
use std::ops::Range;

/// The greatest number of ranges of missed events that a subscriber remembers. If a late event is in none of them, it
/// counts as repeated.
const MISSED_RUNS: usize = 1_000;

/// The numbers of the events that one subscriber expects, and of those that it has missed.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// The number of the next event from each publisher.
    expected: Box<[u64]>,
    /// The ranges of missed events, each with its publisher. Empty as long as no event is missing.
    missed: Vec<(u32, Range<u64>)>,
}

impl Order {
    /// Creates the order of a subscriber that begins with these events: the number of the next event from each
    /// publisher.
    pub(super) fn from(expected: &[u64]) -> Self {
        Self { expected: expected.into(), missed: Vec::new() }
    }

    /// Returns the number of the next event from each publisher.
    pub(super) fn expected(&self) -> &[u64] {
        &self.expected
    }

    /// Checks an event that was received. Returns the number of events that are accounted for by it, and its fault, if
    /// it has one. The number is 1 for the expected event, more if events before this event were missed, and 0 for a
    /// late or repeated event. Returns `None` if there is no such publisher.
    pub(super) fn take(&mut self, publisher: u32, received: u64) -> Option<(u64, Option<Fault>)> {
        let next = self.expected.get_mut(publisher as usize)?;
        let expected = *next;
        if received < expected {
            let late = self.take_missed(publisher, received);
            let fault =
                if late { Fault::OutOfOrder { expected, received } } else { Fault::Repeated { expected, received } };
            return Some((0, Some(fault)));
        }
        *next = received + 1;
        if received == expected {
            return Some((1, None));
        }
        if self.missed.len() < MISSED_RUNS {
            self.missed.push((publisher, expected..received));
        }
        Some((received + 1 - expected, Some(Fault::Missed { expected, received })))
    }

    /// Returns true if this event was among the missed events, and removes it from the missed events.
    fn take_missed(&mut self, publisher: u32, received: u64) -> bool {
        let found = self.missed.iter().position(|(of, run)| *of == publisher && run.contains(&received));
        let Some(index) = found else { return false };
        let (_, run) = self.missed.swap_remove(index);
        let rest = [run.start..received, received + 1..run.end];
        self.missed.extend(rest.into_iter().filter(|run| !run.is_empty()).map(|run| (publisher, run)));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_publisher_has_an_order_of_its_own_and_each_deviation_a_name() {
        let mut order = Order::from(&[0, 5]);
        assert_eq!(order.take(0, 0), Some((1, None)));
        assert_eq!(order.take(1, 5), Some((1, None)));
        assert_eq!(order.take(2, 0), None);
        assert_eq!(order.take(0, 0), Some((0, Some(Fault::Repeated { expected: 1, received: 0 }))));
        assert_eq!(order.take(0, 4), Some((4, Some(Fault::Missed { expected: 1, received: 4 }))));
        // Event 2 arrives late, and then again.
        assert_eq!(order.take(0, 2), Some((0, Some(Fault::OutOfOrder { expected: 5, received: 2 }))));
        assert_eq!(order.take(0, 2), Some((0, Some(Fault::Repeated { expected: 5, received: 2 }))));
        assert_eq!(order.take(1, 1), Some((0, Some(Fault::Repeated { expected: 6, received: 1 }))));
        assert_eq!(order.take(0, 3), Some((0, Some(Fault::OutOfOrder { expected: 5, received: 3 }))));
        assert_eq!(order.expected(), [5, 6]);
    }
}
